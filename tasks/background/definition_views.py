"""The definitions that people may trigger, and the page of one: what it is, and the form that triggers it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from badgerjobs.web.pages import PageRequest, actor_of, application_page, show
from badgerjobs.web.typed import uuid_of
from badgerjobs.workspaces.models import Application, Role
from tasks.background import services
from tasks.background.definitions import Definition, definition_of, public_definitions
from tasks.background.errors import INVALID, MAX_DELAY, BackgroundTaskError, WrongInputError
from tasks.background.forms import TOO_LONG, TriggerForm
from tasks.background.schema_fields import NOTHING
from tasks.background.words import facts_of
from tasks.hooks import hook_verb
from tasks.models import BackgroundRun

# What is said where a definition has one of the same at a time.
IS_THERE = "Nothing new is triggered: this one is the same, and is not over."


@application_page(Role.VIEWER)
def list_definitions(request: PageRequest, _application: Application) -> HttpResponse:
    """What there is to trigger."""
    rows = [(one, facts_of(one)) for one in public_definitions()]
    return show(request, "tasks/background/definitions.html", {"rows": rows})


@application_page(Role.VIEWER)
def show_definition(request: PageRequest, application: Application, definition: str) -> HttpResponse:
    """What it is; for editors with the form that triggers it, which `?from=ID` fills in as that one was given."""
    its = found_definition(definition)
    form = TriggerForm(definition=its, begun=_begun(request, application, its), initial={"delay_unit": "minutes"})
    return _page(request, application, its, form)


@application_page(Role.EDITOR)
def trigger(request: PageRequest, application: Application, definition: str) -> HttpResponse:
    """Trigger it with what the form says, and go to the new one."""
    its = found_definition(definition)
    if request.method != "POST":
        return redirect("background:definition", application.slug, its.id)
    form = TriggerForm(request.POST, definition=its)
    if form.is_valid() and (made := _triggered(request, application, form)):
        if made.was_there:
            messages.info(request, IS_THERE)
        else:
            messages.success(request, f"{made.name} is triggered.")
        return redirect("background:task", application.slug, made.id)
    return _page(request, application, its, form)


def _triggered(request: PageRequest, application: Application, form: TriggerForm) -> Any:
    """The new one; None where something stands against it, which the form says then."""
    try:
        return services.trigger(
            application, form.definition.id, form.given, name=form.cleaned_data["name"].strip(), delay=form.delay_s,
            by=actor_of(request), public_only=True,
        )  # fmt: skip
    except BackgroundTaskError as refused:
        if isinstance(refused, WrongInputError):
            form.refuse_fields(refused.data["invalidFields"], refused.message)
        elif refused.code == INVALID:
            for name in refused.data.get("invalidFields", {}) or [""]:
                form.refuse(name, refused.message)
        else:
            is_late = refused.code == MAX_DELAY
            form.refuse("delay" if is_late else "", TOO_LONG if is_late else refused.message)
    return None


def _begun(request: PageRequest, application: Application, its: Definition) -> Any:
    """The input of the one that the address names, if that is one of this definition."""
    wanted = uuid_of(request.GET.get("from", ""))
    rows = BackgroundRun.objects.for_application(application).filter(pk=wanted, definition=its.id)
    found = rows.values_list("given", flat=True).first() if wanted else None
    return NOTHING if found is None else found


def _page(request: PageRequest, application: Application, its: Definition, form: TriggerForm) -> HttpResponse:
    context = {
        "definition": its,
        "facts": facts_of(its),
        "form": form,
        "address": reverse("background:trigger", args=[application.slug, its.id]),
        "can_be_scheduled": True,
        "schedules": hook_verb("schedules")(application, its.id, timezone.now()),
    }
    return show(request, "tasks/background/definition.html", context)


def found_definition(name: str) -> Definition:
    """The public definition of the address, or a 404."""
    found = definition_of(name)
    if found is None or found.is_private:
        raise Http404
    return found
