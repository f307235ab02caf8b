"""What an event may be: a literal table, type → where its `Type` is. A new one is a row here and a file beside it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.utils.module_loading import import_string

from badgerjobs.runs.outcomes import Outcome
from badgerjobs.web.definitions.configurations import NO_SECRETS, Secrets
from badgerjobs.web.serializers import StrictSerializer
from jobs.events.means import Means
from jobs.models import ConnectionType, EventType

EVENT_TYPES: Mapping[str, str] = {
    EventType.ACTION: "jobs.events.types.action.ACTION",
    EventType.NOTIFICATION: "jobs.events.types.notification.NOTIFICATION",
    EventType.DATABASE_ACTION: "jobs.events.types.database_action.DATABASE_ACTION",
    EventType.FUNCTION: "jobs.events.types.function.FUNCTION",
    EventType.MESSAGEBROKER: "jobs.events.types.message_broker.MESSAGEBROKER",
}


@dataclass(frozen=True, slots=True)
class Occasion:
    """One attempt to perform an event, and all that it may know.

    `values` are what templates may name: `input`, and `run` with its id, number and due_at. The keys are the
    application's, which sign what is signed. `owner` is the application's id, `workspace` that of its workspace.
    """

    run_id: UUID
    configuration: Mapping[str, Any]
    connection: Mapping[str, Any]
    values: Mapping[str, Any]
    owner: int
    workspace: int
    signing_key: str
    previous_key: str = ""
    previous_until: datetime | None = None


def _fits(_configuration: Mapping[str, Any], _connection: Mapping[str, Any]) -> None:
    """Whatever it says fits whatever the connection is."""


def _no_connection(_: Mapping[str, Any]) -> ConnectionType | None:
    return None


def _no_faults(_configuration: Mapping[str, Any], _workspace: int, _owner: int) -> Mapping[str, str]:
    """There is no code in it."""
    return {}


@dataclass(frozen=True, slots=True)
class Type:
    """How events of a type are checked and performed.

    `serializer` checks the configuration. `prepare` fills its templates; what it raises as ValueError is told, and not
    tried again; it asks neither a clock nor a server. `perform` does the work on the event loop, and what is not HTTP
    in a `means.turn`, which has threads for what blocks. `connection`: which type of connection an event with this
    configuration needs, or None; `fits` raises ValueError for one that is not for it. `faults`: field → what is wrong
    with the code in it, of a configuration that is not checked yet, given the ids of the workspace and the application.
    It may wait for a process.
    """

    serializer: type[StrictSerializer]
    prepare: Callable[[Occasion], Any]
    perform: Callable[[Occasion, Any, Means], Awaitable[Outcome]]
    secrets: Secrets = NO_SECRETS
    connection: Callable[[Mapping[str, Any]], ConnectionType | None] = _no_connection
    fits: Callable[[Mapping[str, Any], Mapping[str, Any]], None] = _fits
    faults: Callable[[Mapping[str, Any], int, int], Mapping[str, str]] = _no_faults


@cache
def type_of(name: str) -> Type:
    """The type with this name. Raises KeyError for an unknown one, ImportError for a row that leads nowhere."""
    found = import_string(EVENT_TYPES[name])
    if not isinstance(found, Type):
        raise ImportError(f"{EVENT_TYPES[name]} is not a Type.")  # noqa: TRY004  the row is wrong, not a value
    return found
