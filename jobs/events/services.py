"""What can be done with events and with the connections that they share."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from badgerjobs.servers.configurations import SECRETS
from badgerjobs.web.definitions.configurations import checked
from badgerjobs.web.definitions.keeping import (
    GONE,
    Facts,
    Uses,
    alone_with_its_tag,
    delete_unused,
    made_or_changed,
    record,
)
from badgerjobs.web.problems import Conflict, Invalid
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from jobs.events.connections import CONNECTION_TYPES
from jobs.events.types import type_of
from jobs.models import Connection, ConnectionType, Event

PERFORMED = Uses(
    lambda event: event.jobs,
    "the job",
    "The event is performed by {}. Delete these first, or give them another event.",
)
USED = Uses(
    lambda connection: connection.events,
    "the event",
    "The connection is used by {}. Delete these first, or give them another one.",
)


def create_event(*, application: Application, tag: str, by: audit.Actor, now: datetime, **fields: Any) -> Event:
    """Make an event. `fields`: type, configuration and perhaps name and connection; the configuration is checked here.

    Raises Conflict when the application has an event with this tag or somebody deleted the connection meanwhile,
    ValidationError for a configuration that is wrong.
    """
    event = Event(application=application, tag=tag, name=fields.get("name", tag), type=fields["type"])
    event.connection = fields.get("connection")
    event.configuration = configuration_of(event, fields.get("configuration", {}))
    with alone_with_its_tag("an event", event):
        _hold(event.connection)
        event.save(force_insert=True)
        record(event, {}, _facts(event), action="event.create", by=by, now=now)
    return event


@transaction.atomic
def update_event(*, event: Event, by: audit.Actor, now: datetime, **fields: Any) -> Event:
    """Change what is given; a configuration is given whole. Stars in it keep what is stored.

    It holds from the next attempt of each job that performs it. Raises Conflict when somebody else deleted it or its
    connection meanwhile, ValidationError for a configuration that is wrong or would send stored secrets to somebody
    else.
    """
    try:
        event.refresh_from_db(from_queryset=Event.objects.select_for_update(of=("self",)).whole())
    except Event.DoesNotExist:
        raise Conflict(GONE.format("event")) from None
    facts = _facts(event)
    for name in ("name", "connection"):
        if name in fields:
            setattr(event, name, fields[name])
    event.configuration = configuration_of(event, fields.get("configuration"))
    _hold(event.connection)
    event.save()
    record(event, facts, _facts(event), action="event.update", by=by, now=now)
    return event


def create_or_update_event(
    *, application: Application, tag: str, by: audit.Actor, now: datetime, **fields: Any
) -> tuple[Event, bool]:
    """Make the event, or change the one that is there, as one step. Returns it and whether it was made."""
    fields |= {"by": by, "now": now}
    return made_or_changed(
        Event.objects.for_application(application).filter(tag=tag),
        fields["type"],
        make=lambda: create_event(application=application, tag=tag, **fields),
        change=lambda found: update_event(event=found, **fields),
    )


def delete_event(*, event: Event, by: audit.Actor, now: datetime) -> None:
    """Delete an event. Raises Conflict, naming them, when jobs perform it."""
    delete_unused(event, PERFORMED, _facts(event), action="event.delete", by=by, now=now)


def refusal_to_delete_event(event: Event) -> str:
    """Why it would not be deleted now: a sentence that names the jobs; empty where nothing stands against it."""
    return PERFORMED.refusal(event)


def create_connection(
    *, application: Application, tag: str, by: audit.Actor, now: datetime, **fields: Any
) -> Connection:
    """Make a connection. `fields`: type, configuration and perhaps name; the configuration is checked here.

    Raises Conflict when the application has a connection with this tag, ValidationError for what is wrong with it.
    """
    connection = Connection(application=application, tag=tag, name=fields.get("name", tag), type=fields["type"])
    connection.configuration = connection_configuration(connection, fields.get("configuration", {}))
    with alone_with_its_tag("a connection", connection):
        connection.save(force_insert=True)
        record(connection, {}, _facts(connection), action="connection.create", by=by, now=now)
    return connection


@transaction.atomic
def update_connection(*, connection: Connection, by: audit.Actor, now: datetime, **fields: Any) -> Connection:
    """Change what is given; a configuration is given whole. Stars in the place of the password keep the stored one.

    Raises Conflict when somebody else deleted it meanwhile, ValidationError for a configuration that is wrong or would
    send the stored password to another server.
    """
    try:
        connection.refresh_from_db(from_queryset=Connection.objects.select_for_update())
    except Connection.DoesNotExist:
        raise Conflict(GONE.format("connection")) from None
    facts = _facts(connection)
    connection.name = fields.get("name", connection.name)
    if "configuration" in fields:
        connection.configuration = connection_configuration(connection, fields["configuration"])
    connection.save()
    record(connection, facts, _facts(connection), action="connection.update", by=by, now=now)
    return connection


def create_or_update_connection(
    *, application: Application, tag: str, by: audit.Actor, now: datetime, **fields: Any
) -> tuple[Connection, bool]:
    """Make the connection, or change the one that is there, as one step. Returns it and whether it was made."""
    fields |= {"by": by, "now": now}
    return made_or_changed(
        Connection.objects.for_application(application).filter(tag=tag),
        fields["type"],
        make=lambda: create_connection(application=application, tag=tag, **fields),
        change=lambda found: update_connection(connection=found, **fields),
    )


def delete_connection(*, connection: Connection, by: audit.Actor, now: datetime) -> None:
    """Delete a connection. Raises Conflict, naming them, when events use it."""
    delete_unused(connection, USED, _facts(connection), action="connection.delete", by=by, now=now)


def refusal_to_delete_connection(connection: Connection) -> str:
    """Why it would not be deleted now: a sentence that names the events; empty where nothing stands against it."""
    return USED.refusal(connection)


def configuration_of(event: Event, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the event is to do, checked together with its connection; None keeps what is stored.

    Raises ValidationError.
    """
    found = type_of(event.type)
    stored = event.configuration if event.pk else None
    configuration = dict(stored or {}) if given is None else checked(found.serializer, given, found.secrets, stored)
    _fit(event, found.connection(configuration))
    if event.connection:
        try:
            found.fits(configuration, event.connection.configuration)
        except ValueError as error:
            raise Invalid(connection=str(error)) from None
    return configuration


def connection_configuration(connection: Connection, given: Mapping[str, Any]) -> dict[str, Any]:
    """How its server is spoken to, checked. Raises ValidationError."""
    stored = connection.configuration if connection.pk else None
    return checked(CONNECTION_TYPES[connection.type], given, SECRETS, stored)


def _fit(event: Event, needed: ConnectionType | None) -> None:
    if event.connection is None and needed:
        raise Invalid(connection=f"This needs a connection of the type {needed.value}: make one, and give its tag.")
    if event.connection and needed is None:
        raise Invalid(connection="This uses no connection: leave it out.")
    if event.connection and event.connection.type != needed:
        raise Invalid(
            connection=f"“{event.connection.tag}” is of the type {event.connection.type}: this needs one of {needed}."
        )


def _hold(connection: Connection | None) -> None:
    """Nobody deletes it before this is committed. Raises Conflict where somebody did."""
    rows = Connection.objects.select_for_update(no_key=True)
    if connection and not rows.filter(pk=connection.pk).values_list("pk").first():
        raise Conflict(GONE.format("connection"))


def _facts(row: Event | Connection) -> Facts:
    """What a person would say that it is, for the audit log: of a configuration only names are told."""
    facts = {"name": row.name, "type": row.type, "configuration": row.configuration}
    if isinstance(row, Event):
        facts["connection"] = row.connection.tag if row.connection else None
    return facts
