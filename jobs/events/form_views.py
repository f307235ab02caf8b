"""Making and changing events and connections in forms, and trying an event out as it stands in its form."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.definitions.form_pages import FormPages
from badgerjobs.web.pages import PageRequest, application_page, only_posted
from badgerjobs.workspaces.models import Application, Role
from jobs.events import services
from jobs.events.forms import ConnectionForm, EventForm
from jobs.events.looks import LINES
from jobs.events.page_trials import tried
from jobs.events.trials_shown import sample_of
from jobs.events.views import found_connection, found_event
from jobs.models import ConnectionType, Event, EventType

TEMPLATE = "jobs/events/edit.html"


@application_page(Role.EDITOR)
def new_event(request: PageRequest, application: Application) -> HttpResponse:
    """Choose a type; with `?type=FUNCTION`, fill in a new event of it."""
    return EVENTS.new(request, application)


@application_page(Role.EDITOR)
def edit_event(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Change an event."""
    return EVENTS.edit(request, application, found_event(application, tag))


@application_page(Role.EDITOR)
def new_connection(request: PageRequest, application: Application) -> HttpResponse:
    """Choose a type; with `?type=SMTP`, fill in a new connection of it."""
    return CONNECTIONS.new(request, application)


@application_page(Role.EDITOR)
def edit_connection(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Change a connection."""
    return CONNECTIONS.edit(request, application, found_connection(application, tag))


@application_page(Role.EDITOR)
@only_posted
def try_form(request: PageRequest, application: Application) -> HttpResponse:
    """Perform what the form says, as it stands; with `?event=TAG`, stars are what that event has stored."""
    tag, type_name = request.GET.get("event"), EVENTS.asked_type(request)
    event = found_event(application, tag) if tag else None
    if not event and not type_name:
        return redirect("jobs:new-event", application.slug)
    type_name = event.type if event else type_name
    form = EventForm(request.POST, application=application, type_name=type_name, row=event)
    form.is_valid()
    sample = request.POST.get("sample", "")
    if in_the_way := form.in_the_way():
        answer: dict[str, Any] = {"in_the_way": in_the_way}
    else:
        answer = tried(request, form.event(), form.told["configuration"], sample)
    begun = EventForm(application=application, type_name=type_name, row=event, so_far=request.POST)
    return EVENTS.page(request, begun, is_changed=True, **answer)


def _beside_event(request: PageRequest, application: Application, form: Any) -> Mapping[str, Any]:
    """Where it is tried out, and with what."""
    query = {"event": form.row.tag} if form.row else {"type": form.type}
    event = form.row or Event(application=application, type=form.type)
    return {
        "tried_at": f"{reverse('jobs:try-form', args=[application.slug])}?{urlencode(query)}",
        "sample": request.POST["sample"] if "sample" in request.POST else sample_of(event),
    }


EVENTS = FormPages(
    "event", "an event", "jobs", EventType, EventForm, services.create_event, services.update_event, database_now,
    TEMPLATE, LINES, _beside_event,
)  # fmt: skip
CONNECTIONS = FormPages(
    "connection", "a connection", "jobs", ConnectionType, ConnectionForm, services.create_connection,
    services.update_connection, database_now, TEMPLATE, LINES,
)  # fmt: skip
