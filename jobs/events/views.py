"""The lists of events and connections, the page of one, and what can be done from there."""

from functools import partial
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.definitions.filters import TypeFilters
from badgerjobs.web.definitions.list_pages import Deletion, delete_page, list_page
from badgerjobs.web.pages import PageRequest, application_page, only_posted, show
from badgerjobs.workspaces.models import Application, Role
from jobs.events import services
from jobs.events.filters import EventFilters
from jobs.events.page import ConnectionPage, EventPage
from jobs.events.page_trials import tried
from jobs.events.trials_shown import sample_of
from jobs.models import Connection, ConnectionType, Event


@application_page(Role.VIEWER)
def list_events(request: PageRequest, application: Application) -> HttpResponse:
    """The events that the address asks for."""
    events = Event.objects.for_application(application).in_rows().with_users()
    return list_page(request, events, EventFilters.of_events(request.GET), "jobs/events/list.html")


@application_page(Role.VIEWER)
def list_connections(request: PageRequest, application: Application) -> HttpResponse:
    """The connections that the address asks for."""
    rows = Connection.objects.for_application(application).in_rows().with_users()
    filters = TypeFilters.read(ConnectionType, request.GET)
    return list_page(request, rows, filters, "jobs/events/connections.html")


@application_page(Role.VIEWER)
def show_event(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """What it does, which jobs perform it, and how they fared."""
    return _event_page(request, found_event(application, tag))


def _event_page(request: PageRequest, event: Event, **more: Any) -> HttpResponse:
    context = {"event": event, "page": EventPage(event, timezone.now()), "sample": lambda: sample_of(event), **more}
    return show(request, "jobs/events/event.html", context)


@application_page(Role.EDITOR)
@only_posted
def try_event(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Perform it once, as it is stored, with the sample input that was typed."""
    event = found_event(application, tag)
    sample = request.POST.get("sample", "")
    answer = tried(request, event, None, sample)
    return _event_page(request, event, **{**answer, "sample": sample})


@application_page(Role.EDITOR)
def delete_event(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Delete it after it was asked whether that is meant; not while jobs perform it, which are named."""
    event = found_event(application, tag)
    delete = partial(services.delete_event, event=event)
    refusal = services.refusal_to_delete_event(event)
    meant = Deletion(event, "jobs:event", delete, refusal, "No job performs it.")
    return delete_page(request, meant, database_now())


@application_page(Role.VIEWER)
def show_connection(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Where it leads, and which events use it."""
    connection = found_connection(application, tag)
    context = {"connection": connection, "page": ConnectionPage(connection, timezone.now())}
    return show(request, "jobs/events/connection.html", context)


@application_page(Role.EDITOR)
def delete_connection(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Delete it after it was asked whether that is meant; not while events use it, which are named."""
    connection = found_connection(application, tag)
    delete = partial(services.delete_connection, connection=connection)
    refusal = services.refusal_to_delete_connection(connection)
    meant = Deletion(connection, "jobs:connection", delete, refusal, "No event uses it.")
    return delete_page(request, meant, database_now())


def found_event(application: Application, tag: str) -> Event:
    """The application's event with this tag, and its connection. Raises Http404."""
    event: Event = get_object_or_404(Event.objects.for_application(application).whole(), tag=tag)
    event.application = application
    return event


def found_connection(application: Application, tag: str) -> Connection:
    """The application's connection with this tag. Raises Http404."""
    connection: Connection = get_object_or_404(Connection.objects.for_application(application), tag=tag)
    connection.application = application
    return connection
