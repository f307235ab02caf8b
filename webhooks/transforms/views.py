"""The page where a hook's transform is written: tried on examples and on what came, saved, and gone back to."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import TextField
from django.db.models.functions import Cast, Left
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from rest_framework import serializers

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.definitions.json_text import BadJSONError
from badgerjobs.web.definitions.named_form import CHANGED_MEANWHILE
from badgerjobs.web.pages import PageRequest, actor_of, application_page, only_posted, show
from badgerjobs.web.problems import Conflict
from badgerjobs.web.serializer_forms import first_sentence
from badgerjobs.web.trials import TooManyTrialsError
from badgerjobs.web.typed import number_of
from badgerjobs.workspaces.models import Application, Role
from tasks.services import update_task
from webhooks.deliveries.rows import rows_of
from webhooks.models import Delivery, Hook
from webhooks.services import update_hook
from webhooks.transforms.drafts import DELIVERIES, compared, try_draft, try_one
from webhooks.transforms.example_services import delete_example, put_example
from webhooks.transforms.forms import TransformForm, chosen_payload
from webhooks.views import address_of, found_hook

PAGE = "webhooks/transform.html"
# So many of the last deliveries are offered to try the draft with, and so many versions are listed.
OFFERED, VERSIONS = 10, 20
# So much of what must come of an example is loaded, in characters; its row cuts the last one, and shows that.
EXPECTED = 201
# What `do` says of what a button asks for.
ANYWAY = "save-anyway"
NOT_TRIED = "Saved, and not tried on its examples: {}"


@application_page(Role.EDITOR)
def transform(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """The draft, which begins as what is saved, or as `?version=3`; `?example=` and `?delivery=` stand beside it."""
    hook = found_hook(application, tag)
    if request.method == "POST":
        return _sent(request, hook)
    version = hook.versions.filter(number=number_of(request.GET.get("version", ""), digits=9) or 0).first()
    asked = next((f"{kind}:{request.GET[kind]}" for kind in ("example", "delivery") if request.GET.get(kind)), None)
    if asked is None and (first := hook.examples.order_by("name").first()):
        asked = f"example:{first.name}"
    chosen, payload = chosen_payload(hook, asked or _last(hook))
    code = version.code if version else hook.transform
    form = TransformForm(initial={"transform": code, **payload})
    return _page(request, hook, form, chosen=chosen, version=version, is_changed=code != hook.transform)


@application_page(Role.EDITOR)
@only_posted
def try_draft_page(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """What the draft makes of the payload; with `do=many`, of examples and of what came, beside what is saved."""
    hook, form = found_hook(application, tag), TransformForm(request.POST)
    try:
        if request.POST.get("do") == "many":
            return _page(request, hook, form, is_changed=True, draft=try_draft(hook, code=form.code))
        headers, raw = form.payload()
        made = try_one(hook, code=form.code, headers=headers, raw=raw)
    except (BadJSONError, TooManyTrialsError) as refused:
        return _page(request, hook, form, is_changed=True, refused=str(refused))
    return _page(request, hook, form, is_changed=True, made=made)


@application_page(Role.EDITOR)
@only_posted
def examples(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Open another payload beside the draft, keep the one that was typed as an example, or delete one."""
    hook, form = found_hook(application, tag), TransformForm(request.POST)
    verb, _, name = request.POST.get("do", "").partition(":")
    if verb == "save":
        return _example_saved(request, hook, form)
    if verb == "delete" and (example := hook.examples.filter(name=name).first()):
        delete_example(example=example, by=actor_of(request), now=database_now())
        messages.success(request, f"The example {name} is deleted.")
    chosen, payload = chosen_payload(hook, request.POST.get("payload", ""))
    if verb == "delete" and chosen:
        payload = {field: request.POST.get(field, "") for field in payload}  # what was typed stays as it is
    again = TransformForm(initial={"transform": form.code, **payload})
    return _page(request, hook, again, chosen=chosen, is_changed=True)


def _example_saved(request: PageRequest, hook: Hook, form: TransformForm) -> HttpResponse:
    told = form.example_told()
    if told is None:
        return _page(request, hook, form, is_changed=True)
    try:
        put_example(hook=hook, by=actor_of(request), now=database_now(), **told)
    except Conflict as refused:
        form.add_error("name", str(refused.detail))
    except serializers.ValidationError as error:
        form.add_error("example_body", first_sentence(error.detail))
    else:
        messages.success(request, f"The example {told['name']} is saved. Your draft is not yet.")
        return _page(request, hook, form, chosen=f"example:{told['name']}", is_changed=True)
    return _page(request, hook, form, is_changed=True)


def _sent(request: PageRequest, hook: Hook) -> HttpResponse:
    """Save the draft, unless it cannot be compiled, somebody else saved one meanwhile, or it breaks an example."""
    form = TransformForm(request.POST)
    if not form.judged(hook):
        return _page(request, hook, form, is_changed=True)
    if request.POST.get("seen", "") != str(hook.transform_version):
        form.add_error(None, CHANGED_MEANWHILE)
        return _page(request, hook, form, is_changed=True)
    said = ""
    if request.POST.get("do") != ANYWAY and hook.examples.exists():
        try:
            draft = try_draft(hook, code=form.code, deliveries=0)
        except TooManyTrialsError as refused:
            said = NOT_TRIED.format(refused)
        else:
            if draft.failing:
                return _page(request, hook, form, is_changed=True, draft=draft, breaks=draft.failing)
    try:
        _saved(request, hook, form.code)
    except Conflict as refused:
        form.add_error(None, str(refused.detail))
        return _page(request, hook, form, is_changed=True)
    except serializers.ValidationError as error:
        form.add_error("transform", first_sentence(error.detail))
        return _page(request, hook, form, is_changed=True)
    messages.success(request, said or "The transform is saved. It holds for what comes from now on, and for replays.")
    at = reverse("webhooks:transform", args=[hook.application.slug, hook.tag])
    name = request.POST.get("payload", "")
    kind, _, which = name.partition(":")
    return redirect(f"{at}?{urlencode({kind: which})}" if which else at)


def _saved(request: PageRequest, hook: Hook, code: str) -> None:
    """Save it where it belongs: that of a task's hook is the task's."""
    by, now = actor_of(request), database_now()
    if hook.task:
        update_task(task=hook.task, by=by, now=now, transform=code)
    else:
        update_hook(hook=hook, by=by, now=now, transform=code)


def _page(request: PageRequest, hook: Hook, form: TransformForm, **more: Any) -> HttpResponse:
    """The form, with what belongs beside it; or the part of it that is asked for."""
    at = {name: reverse(f"webhooks:{name}", args=[hook.application.slug, hook.tag]) for name in _BESIDE}
    context = {
        "hook": hook,
        "form": form,
        "back": address_of(hook),
        "address": at["transform"],
        "tried_at": at["try-transform"],
        "examples_at": at["examples"],
        "seen": hook.transform_version,
        "examples": lambda: _examples(hook),
        "last": lambda: [
            (f"delivery:{row.delivery.pk}", row) for row in rows_of(hook.application, _deliveries(hook)[:OFFERED])
        ],
        "versions": lambda: hook.versions.order_by("-number")[:VERSIONS],
        "chosen": request.POST.get("payload", ""),
        "tried_on": DELIVERIES,
        "code_lines": lambda: compared(hook.transform, form.code) if form.code != hook.transform else [],
        **more,
    }
    return show(request, PAGE, context)


_BESIDE = ("transform", "try-transform", "examples")


def _examples(hook: Hook) -> Any:
    """By name, each with the beginning of what must come of it, `expected_text`; none of what may be long."""
    beginning = Left(Cast("expected", TextField()), EXPECTED)
    return hook.examples.defer("headers", "body", "expected").annotate(expected_text=beginning).order_by("name")


def _deliveries(hook: Hook) -> Any:
    return Delivery.objects.for_application(hook.application).of(hook).defer("body").order_by("-pk")


def _last(hook: Hook) -> str:
    """The payload of who has no example yet: what came last."""
    newest = _deliveries(hook).values_list("pk", flat=True).first()
    return f"delivery:{newest}" if newest else ""
