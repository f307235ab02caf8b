"""The lists of events and connections, the page of one, and what can be done from there."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models.functions import Lower
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.cursors import page_of
from badgerjobs.web.pages import PageRequest, actor_of, application_page, ask, only_posted, show
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.models import Application, Role
from jobs.events import services
from jobs.events.filters import DefinitionFilters
from jobs.events.page import ConnectionPage, EventPage
from jobs.events.tried import sample_of
from jobs.events.trying import tried
from jobs.models import Connection, ConnectionType, Event, EventType

# So many a page of the list has.
ROWS = 50


@application_page(Role.VIEWER)
def list_events(request: PageRequest, application: Application) -> HttpResponse:
    """The events that the address asks for."""
    events = Event.objects.for_application(application).in_rows().with_users()
    return _list(request, events, DefinitionFilters.read(EventType, request.GET), "jobs/events/list.html")


@application_page(Role.VIEWER)
def list_connections(request: PageRequest, application: Application) -> HttpResponse:
    """The connections that the address asks for."""
    rows = Connection.objects.for_application(application).in_rows().with_users()
    return _list(request, rows, DefinitionFilters.read(ConnectionType, request.GET), "jobs/events/connections.html")


def _list(request: PageRequest, rows: Any, filters: DefinitionFilters, template: str) -> HttpResponse:
    if "" in request.GET.values() and not request.headers.get("HX-Request"):
        # A form sends its empty fields too: nobody wants that link.
        return redirect(f"{request.path}{filters.query}".removesuffix("?"))
    matching = filters.narrow(rows).annotate(title=Lower("name"))
    page = page_of(matching, order="title", cursor=request.GET.get("cursor", ""), size=ROWS)
    total = matching.count()
    context = {
        "filters": filters,
        "page": page,
        "first": page.before + 1,
        "last": page.before + len(page.rows),
        "total": total,
        "has_rows": total or filters.is_narrow,
    }
    response = show(request, template, context)
    if request.headers.get("HX-Trigger") == "filters":
        response["HX-Push-Url"] = f"{request.path}{filters.query}".removesuffix("?")
    return response


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
    refusal = services.refusal_to_delete_event(event)
    delete = partial(services.delete_event, event=event)
    return _delete(request, EventPage(event, timezone.now()), "event", refusal, delete)


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
    refusal = services.refusal_to_delete_connection(connection)
    delete = partial(services.delete_connection, connection=connection)
    return _delete(request, ConnectionPage(connection, timezone.now()), "connection", refusal, delete)


def _delete(
    request: PageRequest, page: EventPage | ConnectionPage, what: str, refusal: str, delete: Callable[..., None]
) -> HttpResponse:
    """Do it, or say what stands against it, or ask whether that is meant: whichever it is time for."""
    slug, row = page.row.application.slug, page.row
    if request.method == "POST":
        try:
            delete(by=actor_of(request), now=database_now())
        except Conflict as refused:
            refusal = str(refused.detail)
        else:
            messages.success(request, f"{row.name} is deleted.")
            return redirect(f"jobs:{what}s", slug)
    back = reverse(f"jobs:{what}", args=[slug, row.tag])
    if refusal:
        messages.error(request, refusal)
        return redirect(back)
    return ask(request, back=back, **page.question_before_deleting())


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
