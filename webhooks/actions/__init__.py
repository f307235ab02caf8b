"""What a hook may do: a literal table, type → where its `Action` is. A new one is a row here and a file beside it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils.module_loading import import_string

from badgerjobs.web.serializers import StrictSerializer
from badgerjobs.workspaces.models import Application
from webhooks.models import ActState

# In the order in which those of a batch are done.
ACTIONS: Mapping[str, str] = {
    "sync": "webhooks.actions.sync.SYNC",
    "job": "webhooks.actions.job.JOB",
    "event": "webhooks.actions.event.EVENT",
    "async_job": "webhooks.actions.async_job.ASYNC_JOB",
    "background_task": "webhooks.actions.background_task.BACKGROUND_TASK",
    "value": "webhooks.actions.value.VALUE",
}

# Where a transform gave no value: null is one.
MISSING: Final[Any] = object()

# So many of an application's are offered where a target is chosen.
MOST_OFFERED = 500


@dataclass(frozen=True, slots=True)
class Doing:
    """One action that is to be done for a run of a delivery: `position` is its place among those of the run.

    `fields` are those of its type. `variables` and `value`, which may be MISSING, are what the transform gave. `body`
    is what came, as the text of JSON that can be kept; it raises ValueError for what is none. `now` is the database's
    clock.
    """

    application_id: int
    runnable_id: int
    delivery_id: UUID
    run_id: UUID
    position: int
    fields: Mapping[str, Any]
    variables: Mapping[str, str]
    value: Any
    body: Callable[[], str]
    now: datetime


@dataclass(frozen=True, slots=True)
class Did:
    """What came of it, in a sentence. `caused`: the run that it made. `again`: whether a later try may succeed."""

    state: ActState
    said: str
    caused: UUID | None = None
    again: bool = True


@dataclass(frozen=True, slots=True)
class There:
    """Which targets are there: those that are `known` to be, and those whose column `by` the query has."""

    known: Collection[str] = ()
    looked_for: QuerySet[Any] | None = None
    by: str = "tag"


@dataclass(frozen=True, slots=True)
class Action:
    """How actions of a type are checked, shown and done.

    `serializer` checks its fields, those beside name and type; its context has the `application`, or nothing is looked
    for. `field` is the one that names the target, `target` what people call that, `address` that of the target's page,
    empty where there is none. `offered` are the targets that there are: tag and name of each; of a type without them,
    None. `there`: which of some targets there are. `act` does all of a batch within the caller's transaction, in a
    constant number of statements, and answers in their order: what is wrong with one of them fails that one. It locks
    what they act upon in the order of ids.
    `holds`: the ids of the runnables that it will lock. `takes_body`: whether one with these fields asks for the body,
    where the transform gave a value or none; what a type does not say here is read while its targets are locked.
    """

    word: str
    hint: str
    serializer: type[StrictSerializer]
    act: Callable[[Sequence[Doing]], list[Did]]
    field: str
    target: Callable[[Mapping[str, Any]], str]
    address: Callable[[Application, Mapping[str, Any]], str]
    there: Callable[[Application, Collection[str]], There]
    offered: Callable[[Application], Sequence[tuple[str, str]]] | None = None
    holds: Callable[[Sequence[Doing]], Sequence[int]] | None = None
    takes_body: Callable[[Mapping[str, Any], bool], bool] | None = None


@cache
def action_of(name: str) -> Action:
    """The type with this name. Raises KeyError for an unknown one, ImportError for a row that leads nowhere."""
    found = import_string(ACTIONS[name])
    if not isinstance(found, Action):
        raise ImportError(f"{ACTIONS[name]} is not an Action.")  # noqa: TRY004  the row is wrong, not a value
    return found
