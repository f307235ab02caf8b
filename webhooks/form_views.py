"""Making and changing a hook in a form."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.saying import retries_in_words
from badgerjobs.web.definitions.form_pages import added_row
from badgerjobs.web.definitions.named_form import fill_in, typed
from badgerjobs.web.definitions.saving import Saving
from badgerjobs.web.pages import PageRequest, application_page, show
from badgerjobs.workspaces.models import Application, Role
from webhooks import action_rows
from webhooks.forms import HookForm, initial_new, initial_of
from webhooks.models import Hook
from webhooks.services import create_hook, update_hook
from webhooks.views import address_of, found_hook

PAGE = "webhooks/edit.html"
SAVING = Saving("a webhook", "hook", create_hook, update_hook, database_now)


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
    is_good = not is_filled and form.is_valid() and not SAVING.is_stale(form, hook)
    if is_good and (saved := SAVING.saved(request, form, hook, form.given)):
        messages.success(request, f"{saved.name} is saved." + ("" if hook else " Its URL stands below."))
        return redirect(address_of(saved))
    if wrong := form.wrong():
        form.focus(wrong[0][0])
    return _page(request, form, is_changed=True)


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
        "seen": SAVING.seen_in(request, form, hook),
        "address": reverse("webhooks:edit", args=[application.slug, hook.tag]) if hook else request.path,
        "back": address_of(hook) if hook else hooks,
        "offered": partial(action_rows.offered, application),
        "retries": retries_in_words((hook.runnable if hook else application).policy),
        **more,
    }
    return show(request, PAGE, context)
