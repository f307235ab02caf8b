"""What a run may perform: a literal table, kind → where its `Kind` is. A new one is a row here and a file there."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.utils.module_loading import import_string

from badgerjobs.lib.backoff import Retries
from badgerjobs.runs.outcomes import Outcome

RUN_KINDS = {
    "http": "jobs.perform.HTTP",
    "event": "jobs.events.perform.EVENT",
    "event_once": "jobs.events.once.EVENT_ONCE",
    "notice": "badgerjobs.notices.perform.NOTICE",
    "sync": "tasks.syncs.perform.SYNC",
    "refresh": "tasks.syncs.perform.REFRESH",
    "background": "tasks.background.perform.BACKGROUND",
    "background_hook": "tasks.background.hooks.BACKGROUND_HOOK",
    "slurp": "slurps.perform.SLURP",
    "delivery": "webhooks.performing.perform.DELIVERY",
}
# Those that tell people of troubles, and those that call the hooks of what is over. What is done with many runs at once
# leaves them alone: who may abort what waits would else silence what admins have set, and what code relies on.
OWN_KINDS = ("notice", "background_hook")
# Those of no runnable that may be replayed.
REPLAYED_ALONE = ("event_once",)
# Those whose owners replay them: a literal table, kind → where its `Replays` is.
REPLAYED_BY_OWNERS = {
    "delivery": "webhooks.deliveries.run_replays.DELIVERY",
    "background": "tasks.background.run_replays.BACKGROUND",
}

# Those of no runnable that may be replayed, by the engine or by their owners.
REPLAYED_WITHOUT_RUNNABLE = (*REPLAYED_ALONE, "background")
# Those of which something follows in another app when they are over: a literal table, kind → where its `Following` is.
FOLLOWED = {"background": "tasks.background.following.FOLLOWING"}


@dataclass(frozen=True, slots=True)
class Claimed:
    """A run in a worker's hands, with what finishing it needs to know of its retries: RETRY_COLUMNS of its runnable.

    `input_text` is JSON, None without any. `retry_delays` is JSON, and None unless the policy is a list. `started_at`
    is when its first attempt began. `is_in_trouble`: the run before it failed for good, or its runnable is paused for
    that. `worker` has it: who writes something for it elsewhere may ask whether that still holds. `attempts_before`
    were made by the iterations before this one. `workspace_id` is its application's, and
    `rescues` are those of this iteration.
    """

    id: UUID
    application_id: int
    runnable_id: int | None
    kind: str
    number: int
    attempts: int
    occurrence: datetime | None
    due_at: datetime
    input_text: str | None
    retries: int
    retry_step_s: int
    backoff: str
    retry_delays: str | None
    retry_for_s: int | None
    started_at: datetime
    is_in_trouble: bool = False
    worker: UUID | None = None
    iteration: int = 1
    attempts_before: int = 0
    workspace_id: int = 0
    rescues: int = 0

    @property
    def attempt(self) -> int:
        """Which attempt of the run this is, from 1."""
        return self.attempts + 1

    @property
    def tried(self) -> int:
        """Which attempt of its iteration this is, from 1: how often something is tried again counts these."""
        return self.attempts - self.attempts_before + 1

    @property
    def input(self) -> Any:
        """What it was given. Read when it is asked for: as values it takes twenty times as much memory as its text."""
        return None if self.input_text is None else json.loads(self.input_text)

    def forget_input(self) -> None:
        """Let go of it, where it is needed no more and the run may be long."""
        object.__setattr__(self, "input_text", None)

    def follow(self, policy: Retries) -> None:
        """Be tried again by another policy: what has no runnable has none of its own."""
        object.__setattr__(self, "retries", policy.retries)
        object.__setattr__(self, "retry_step_s", policy.step_s)
        object.__setattr__(self, "backoff", policy.backoff)
        object.__setattr__(self, "retry_delays", json.dumps(list(policy.delays)) if policy.delays else None)
        object.__setattr__(self, "retry_for_s", policy.for_s)

    @property
    def policy(self) -> Retries:
        """When it is tried again. Read when it is asked for: most runs succeed."""
        delays = tuple(json.loads(self.retry_delays)) if self.retry_delays else ()
        return Retries(self.backoff, self.retries, self.retry_step_s, delays, self.retry_for_s)


@dataclass(frozen=True, slots=True)
class Kind:
    """How to perform runs of a kind.

    `load` fetches what a batch of runs needs, in a constant number of queries; what it leaves out has lost its owner.
    `perform` does one of them, on the event loop (`io`); `open` makes what all of them share while the loop lives.
    """

    load: Callable[[Sequence[Claimed]], Mapping[UUID, Any]]
    perform: Callable[[Claimed, Any, Any], Awaitable[Outcome]]
    open: Callable[[], Any]


@cache
def kind_of(name: str) -> Kind:
    """The kind with this name. Raises KeyError for an unknown one, ImportError for a row that leads nowhere."""
    kind = import_string(RUN_KINDS[name])
    if not isinstance(kind, Kind):
        raise ImportError(  # noqa: TRY004  the row is wrong, not a value
            f"{RUN_KINDS[name]} is not a Kind."
        )
    return kind
