"""Making and changing a hook in a form."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from rest_framework import serializers

from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.saying import retries_in_words
from badgerjobs.web.definitions.form_pages import added_row
from badgerjobs.web.definitions.inputs import flat
from badgerjobs.web.definitions.named_form import CHANGED_MEANWHILE, fill_in, typed
from badgerjobs.web.pages import PageRequest, actor_of, application_page, show
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.models import Application, Role
from webhooks import action_rows
from webhooks.forms import HookForm, initial_new, initial_of
from webhooks.models import Hook
from webhooks.services import create_hook, update_hook
from webhooks.views import address_of, found_hook

PAGE = "webhooks/edit.html"
TAKEN = "There is a webhook with the tag “{}” already: give this one another."


@application_page(Role.EDITOR)
def new(request: PageRequest, application: Application) -> HttpResponse:
    """A new hook."""
    if request.method == "POST":
        return _sent(request, application, None)
    form = HookForm(initial=initial_new(application), application=application)
    form.focus("name")
    return _page(request, form)


@application_page(Role.EDITOR)
def edit(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Change a hook; of one that belongs to a task, what is not the task's."""
    hook = found_hook(application, tag)
    if request.method == "POST":
        return _sent(request, application, hook)
    return _page(request, HookForm(initial=initial_of(hook), application=application, hook=hook))


def _sent(request: PageRequest, application: Application, hook: Hook | None) -> HttpResponse:
    """Save it, unless a button asked for something else that the form does."""
    do, data = request.POST.get("do", ""), request.POST.copy()
    if action_rows.add_or_remove(data, do):
        fields = HookForm(application=application, hook=hook).fields
        begun = HookForm(initial=typed(fields, data), application=application, hook=hook)
        return _page(request, begun, is_changed=True, added=added_row(do))
    is_filled = fill_in(data, do)
    form = HookForm(data, application=application, hook=hook)
    if not is_filled and form.is_valid() and not _is_stale(form, data) and (saved := _saved(request, form)):
        messages.success(request, f"{saved.name} is saved." + ("" if hook else " Its URL stands below."))
        return redirect(address_of(saved))
    if wrong := form.wrong():
        form.focus(wrong[0][0])
    return _page(request, form, is_changed=True)


def _is_stale(form: HookForm, data: Any) -> bool:
    """Whether somebody else changed it while the form was open; said once."""
    if not form.hook or data.get("seen", "") == _seen(form.hook):
        return False
    form.refuse("", CHANGED_MEANWHILE)
    return True


def _saved(request: PageRequest, form: HookForm) -> Hook | None:
    """The hook, made or changed. None when something stands against it that only the service sees."""
    fields = dict(form.given)
    tag = fields.pop("tag", None)
    by, now = actor_of(request), database_now()
    try:
        if form.hook:
            return update_hook(hook=form.hook, by=by, now=now, **fields)
        return create_hook(application=form.application, tag=tag, by=by, now=now, **fields)
    except Conflict as error:
        said = str(error.detail) if form.hook else TAKEN.format(tag)
        form.refuse("" if form.hook else "tag" if form.cleaned_data["tag"] else "name", said)
    except serializers.ValidationError as error:
        for name, sentence in flat(error.detail).items():
            form.refuse(name, sentence)
    return None


def _page(request: PageRequest, form: HookForm, **more: Any) -> HttpResponse:
    """The form, with what belongs beside it."""
    hook, application = form.hook, form.application
    hooks = reverse("webhooks:list", args=[application.slug])
    context = {
        "form": form,
        "hook": hook,
        "row": hook,
        "what": "webhook",
        "list": hooks,
        "seen": _seen(hook) if hook else "",
        "address": reverse("webhooks:edit", args=[application.slug, hook.tag]) if hook else request.path,
        "back": address_of(hook) if hook else hooks,
        "offered": partial(action_rows.offered, application),
        "retries": retries_in_words((hook.runnable if hook else application).policy),
        **more,
    }
    return show(request, PAGE, context)


def _seen(hook: Hook) -> str:
    return hook.updated_at.isoformat()
