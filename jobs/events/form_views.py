"""Making and changing events and connections in forms, and trying an event out as it stands in its form."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from rest_framework import serializers

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.definitions import header_rows
from badgerjobs.web.definitions.form import DefinitionForm
from badgerjobs.web.definitions.inputs import flat
from badgerjobs.web.definitions.named_form import CHANGED_MEANWHILE, fill_in
from badgerjobs.web.pages import PageRequest, actor_of, application_page, only_posted, show
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.models import Application, Role
from jobs.events import services
from jobs.events.forms import ConnectionForm, EventForm
from jobs.events.looks import LINES
from jobs.events.tried import sample_of
from jobs.events.trying import tried
from jobs.events.views import found_connection, found_event
from jobs.models import Connection, ConnectionType, Event, EventType

TAKEN = "There is {} with the tag “{}” already: give this one another."


@application_page(Role.EDITOR)
def new_event(request: PageRequest, application: Application) -> HttpResponse:
    """Choose a type; with `?type=FUNCTION`, fill in a new event of it."""
    type_name = _type(request, EventType)
    if not type_name:
        return _choose(request, EventType, "event")
    return _form(request, application, EventForm, type_name, None)


@application_page(Role.EDITOR)
def edit_event(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Change an event."""
    event = found_event(application, tag)
    return _form(request, application, EventForm, event.type, event)


@application_page(Role.EDITOR)
def new_connection(request: PageRequest, application: Application) -> HttpResponse:
    """Choose a type; with `?type=SMTP`, fill in a new connection of it."""
    type_name = _type(request, ConnectionType)
    if not type_name:
        return _choose(request, ConnectionType, "connection")
    return _form(request, application, ConnectionForm, type_name, None)


@application_page(Role.EDITOR)
def edit_connection(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Change a connection."""
    connection = found_connection(application, tag)
    return _form(request, application, ConnectionForm, connection.type, connection)


@application_page(Role.EDITOR)
@only_posted
def try_form(request: PageRequest, application: Application) -> HttpResponse:
    """Perform what the form says, as it stands; with `?event=TAG`, stars are what that event has stored."""
    tag, type_name = request.GET.get("event"), _type(request, EventType)
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
    return _page(request, application, begun, is_changed=True, **answer)


def _type(request: PageRequest, types: Any) -> str:
    asked = request.GET.get("type", "").upper()
    return asked if asked in types.values else ""


def _choose(request: PageRequest, types: Any, what: str) -> HttpResponse:
    context = {
        "types": [(type_name, label, LINES.get(type_name, "")) for type_name, label in types.choices],
        "what": what,
    }
    return show(request, "jobs/events/types.html", context)


def _form(
    request: PageRequest, application: Application, form_class: type[DefinitionForm], type_name: str, row: Any
) -> HttpResponse:
    """Show it; or save what was sent, unless a button asked for something else that the form does."""
    if request.method != "POST":
        form = form_class(application=application, type_name=type_name, row=row)
        if not row:
            form.focus("name")
        return _page(request, application, form)
    do, data = request.POST.get("do", ""), request.POST.copy()
    if header_rows.add_or_remove(data, do):
        begun = form_class(application=application, type_name=type_name, row=row, so_far=data)
        return _page(request, application, begun, is_changed=True, added=do.startswith("add-header"))
    is_filled = fill_in(data, do)
    form = form_class(data, application=application, type_name=type_name, row=row)
    if not is_filled and form.is_valid() and not _is_stale(form, data) and (saved := _saved(request, form)):
        messages.success(request, f"{saved.name} is saved.")
        return redirect("jobs:event" if isinstance(saved, Event) else "jobs:connection", application.slug, saved.tag)
    if wrong := form.wrong():
        form.focus(wrong[0][0])
    return _page(request, application, form, is_changed=True)


def _is_stale(form: DefinitionForm, data: Any) -> bool:
    """Whether somebody else changed it while the form was open; said once."""
    if not form.row or data.get("seen", "") == _seen(form.row):
        return False
    form.refuse("", CHANGED_MEANWHILE)
    return True


def _saved(request: PageRequest, form: DefinitionForm) -> Any:
    """The row, made or changed. None when something stands against it that only the service sees."""
    fields = dict(form.given)
    tag = fields.pop("tag", None)
    by, now = actor_of(request), database_now()
    is_event = isinstance(form, EventForm)
    try:
        if form.row:
            fields.pop("type", None)
            if is_event:
                return services.update_event(event=form.row, by=by, now=now, **fields)
            return services.update_connection(connection=form.row, by=by, now=now, **fields)
        create: Any = services.create_event if is_event else services.create_connection
        return create(application=form.application, tag=tag, by=by, now=now, **fields)
    except Conflict as error:
        taken = TAKEN.format("an event" if is_event else "a connection", tag)
        form.refuse(
            "" if form.row else "tag" if form.cleaned_data["tag"] else "name", str(error.detail) if form.row else taken
        )
    except serializers.ValidationError as error:
        for name, said in flat(error.detail).items():
            form.refuse(name, said)
    return None


def _page(request: PageRequest, application: Application, form: DefinitionForm, **more: Any) -> HttpResponse:
    """The form, with what belongs beside it."""
    is_event, row = isinstance(form, EventForm), form.row
    what = "event" if is_event else "connection"
    here = [application.slug, row.tag] if row else [application.slug]
    address = reverse(f"jobs:edit-{what}" if row else f"jobs:new-{what}", args=here)
    context = {
        "form": form,
        "row": row,
        "what": what,
        "label": str((EventType if is_event else ConnectionType)(form.type).label),
        "line": LINES.get(form.type, ""),
        "seen": _seen(row) if row else "",
        "address": address if row else f"{address}?{urlencode({'type': form.type})}",
        "list": reverse(f"jobs:{what}s", args=[application.slug]),
        "back": reverse(f"jobs:{what}", args=here) if row else reverse(f"jobs:{what}s", args=[application.slug]),
        **(_beside_event(request, application, form) if is_event else {}),
        **more,
    }
    return show(request, "jobs/events/edit.html", context)


def _beside_event(request: PageRequest, application: Application, form: DefinitionForm) -> dict[str, Any]:
    """Where it is tried out, and with what."""
    query = {"event": form.row.tag} if form.row else {"type": form.type}
    event = form.row or Event(application=application, type=form.type)
    return {
        "tried_at": f"{reverse('jobs:try-form', args=[application.slug])}?{urlencode(query)}",
        "sample": request.POST["sample"] if "sample" in request.POST else sample_of(event),
    }


def _seen(row: Event | Connection) -> str:
    return row.updated_at.isoformat()
