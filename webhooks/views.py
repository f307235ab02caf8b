"""The list of hooks, the page of a hook, and what can be done from there."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.pause_form import PauseForm
from badgerjobs.web.cursors import Page
from badgerjobs.web.definitions.list_pages import filtered_page
from badgerjobs.web.one_moment import one_moment
from badgerjobs.web.pages import PageRequest, actor_of, application_page, ask, only_posted, show
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.models import Application, Role
from webhooks import hook_questions
from webhooks.curls import curl_of
from webhooks.filters import HookFilters
from webhooks.hook_rows import rows_of
from webhooks.models import Hook
from webhooks.page import HookPage
from webhooks.rotate_form import RotateForm
from webhooks.rotation import address_of as url_of
from webhooks.services import delete_hook, pause_hook, resume_hook, rotate_hook


@application_page(Role.VIEWER)
def list_hooks(request: PageRequest, application: Application) -> HttpResponse:
    """The hooks that the address asks for, fifty at a time."""
    filters = HookFilters.read(request.GET)
    hooks = Hook.objects.for_application(application).in_rows().sortable()
    return filtered_page(request, filters.narrow(hooks), filters, "webhooks/list.html", partial(_rows, application))


def _rows(application: Application, page: Page[Hook]) -> dict[str, Any]:
    return {"rows": rows_of(application, page.rows)}


@application_page(Role.VIEWER)
def show_hook(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Where it is called, what it does with what comes, and what came last. Who may not change it sees no secret."""
    with one_moment():
        hook = found_hook(application, tag)
        page = HookPage(hook, timezone.now())
        url = url_of(hook, request) if request.member.may(Role.EDITOR) else ""
        context = {"hook": hook, "page": page, "url": url, "curl": curl_of(hook, url) if url else ""}
        response = show(request, "webhooks/hook.html", context)
        # What listens to this brings the other parts of the page up to date.
        if request.headers.get("HX-Target") == "deliveries" and request.headers.get("X-Seen") != page.mark:
            response["HX-Trigger"] = "moved"
        return response


@application_page(Role.EDITOR)
def pause(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Ask why and until when, then hold what comes until then."""
    hook, now = found_hook(application, tag), database_now()
    form = PauseForm(request.POST if request.method == "POST" else None, now=now)
    if not form.is_valid():
        question = hook_questions.before_pausing(HookPage(hook, now))
        return ask(request, back=address_of(hook), form=form, **question)
    if pause_hook(hook=hook, by=actor_of(request), now=now, **form.cleaned_data):
        messages.success(request, "Paused. What comes is stored and held; what runs goes on.")
    else:
        messages.warning(request, "It was paused already, and stays so as it is.")
    return redirect(address_of(hook))


@application_page(Role.EDITOR)
@only_posted
def resume(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Act upon what was held, and upon what comes."""
    hook = found_hook(application, tag)
    resume_hook(hook=hook, by=actor_of(request), now=database_now())
    messages.success(request, "Resumed. What was held is acted upon, the oldest first.")
    return redirect(address_of(hook))


@application_page(Role.EDITOR)
def rotate(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Give it another address, after it was asked how long the one of now is to work."""
    hook = found_hook(application, tag)
    form = RotateForm(request.POST if request.method == "POST" else None, auto_id="rotate-%s")
    if not form.is_valid():
        return ask(
            request, back=address_of(hook), form=form, **hook_questions.before_rotating(HookPage(hook, timezone.now()))
        )
    overlap_s = form.cleaned_data["overlap"]
    try:
        rotate_hook(hook=hook, by=actor_of(request), now=database_now(), overlap_s=overlap_s)
        over = "The one before works for a while yet." if overlap_s else "The one before leads nowhere any more."
        messages.success(request, f"It has another URL. {over}")
    except Conflict as refused:
        messages.warning(request, str(refused.detail))
    return redirect(address_of(hook))


@application_page(Role.EDITOR)
def delete(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Delete it with what came, after it was asked whether that is meant."""
    hook = found_hook(application, tag)
    if request.method != "POST":
        question = hook_questions.before_deleting(HookPage(hook, timezone.now()))
        return ask(request, back=address_of(hook), **question)
    try:
        delete_hook(hook=hook, by=actor_of(request), now=database_now())
    except Conflict as refused:
        messages.warning(request, str(refused.detail))
        return redirect(address_of(hook))
    messages.success(request, f"{hook.name} is deleted, with what came to it.")
    return redirect("webhooks:list", application.slug)


def found_hook(application: Application, tag: str) -> Hook:
    """The hook of the address, or a 404."""
    hook: Hook = get_object_or_404(Hook.objects.for_application(application).whole(), tag=tag)
    hook.application = application
    return hook


def address_of(hook: Hook) -> str:
    """The address of its page."""
    return reverse("webhooks:hook", args=[hook.application.slug, hook.tag])
