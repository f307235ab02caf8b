"""Books and histories that tests break: a job `red/a` whose schedule says every ten seconds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from badgerjobs.lib.schedule import Schedule
from chaos.books import Attempt, Run
from chaos.eras import Era, Promise
from chaos.history import Call

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
EVERY = Schedule(run_every="PT10S", anchor=START)


def at(number: int) -> datetime:
    """The time of the occurrence of this number, from 0."""
    return START + timedelta(seconds=10 * number)


def promise(count: int = 5, **fields: Any) -> Promise:
    """So many occurrences are promised, from 0 on."""
    era = Era(EVERY, START, ends=at(count - 1), may_until=at(count - 1))
    return Promise(**{"name": "red/a", "runnable_id": 1, "overlap": "skip", "is_quick": True, "eras": [era], **fields})


A_RUN = Run(
    id="r0",
    tenant="red",
    job="red/a",
    cause="schedule",
    occurrence=START,
    number=1,
    state="succeeded",
    held=False,
    attempts=1,
    iteration=1,
    error="",
    skip_reason="",
    skipped_until=None,
    skipped_count=None,
    created_at=START,
    finished_at=START,
)


def run(nth: int = 0, /, **fields: Any) -> Run:
    """The run of an occurrence: succeeded, unless said otherwise."""
    return replace(A_RUN, **{"id": f"r{nth}", "number": nth + 1, "occurrence": at(nth), **fields})


def skipped(first: int, last: int, **fields: Any) -> Run:
    """One row for the occurrences from `first` to `last`."""
    row = {"id": f"s{first}", "number": 0, "state": "skipped", "attempts": 0, "skip_reason": "missed"}
    counted = {"skipped_until": at(last), "skipped_count": last - first + 1}
    return run(first, **{**row, **counted, **fields})


def attempt(number: int = 1, **fields: Any) -> Attempt:
    """The last try of `r0`, unless said otherwise: a good one."""
    good = {"run": "r0", "tenant": "red", "number": number, "ok": True, "started_at": START, "status": 200}
    return Attempt(**{**good, **fields})


def call(began: float, ended: float, run_id: str = "r0", *, status: int = 200, job: str = "red/a") -> Call:
    """A call of `red/a`, in seconds after the start."""
    return Call(run_id, job, START.timestamp() + began, START.timestamp() + ended, status)
