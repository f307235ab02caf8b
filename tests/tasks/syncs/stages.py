"""Syncs in this process, of sources whose answers a test makes up."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from badgerjobs.runs import fleet
from badgerjobs.runs.clock import Clock
from badgerjobs.runs.models import Cause, Run, State
from badgerjobs.runs.outcomes import Later, Outcome
from badgerjobs.sources.results import Fetched, Unfetched
from badgerjobs.workspaces.models import Application
from tasks.models import CachedValue, CacheKey, Task
from tasks.syncs import perform, syncing
from tasks.syncs.means import open_means
from tests.factories import NOW, make_run, make_source
from tests.runs.claims import ME, claimed

Found = Fetched | Unfetched | Later
Answers = Callable[[Mapping[str, Any], int], Found]


def fetched(body: str = '"new"', **fields: Any) -> Fetched:
    """What a source answered well."""
    whole = body.encode()
    given = {"bytes": len(whole), "etag": hashlib.sha256(whole).hexdigest(), "status": 200, "duration_ms": 7, **fields}
    return Fetched(body, **given)


def unfetched(**fields: Any) -> Unfetched:
    """What a source answered badly; another try may help."""
    given: dict[str, Any] = {"error_class": "status", "error": "The source answered 503.", "status": 503}
    return Unfetched(**(given | fields))


class Sources:
    """Stands in for all sources: `answer` is asked with the key's variables and how often that key has come, from 1.

    `gates` → the event that a key waits for before its answer; `""`: all of them. `most` is how many were being fetched
    at once.
    """

    def __init__(self) -> None:
        self.answer: Answers = lambda _values, _nth: fetched()
        self.asked: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.inside = self.most = 0

    async def fetch(self, _source: Any, values: Mapping[str, Any], _means: Any, **_: Any) -> Found:
        name = str(values["PRODUCT_ID"])
        self.asked.append(name)
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            if gate := self.gates.get(name) or self.gates.get(""):
                await gate.wait()
            await asyncio.sleep(0)
            return self.answer(values, self.asked.count(name))
        finally:
            self.inside -= 1


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> Sources:
    made = Sources()
    monkeypatch.setattr(syncing, "fetch", made.fetch)
    return made


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """For whoever fetches, the database's clock stands at NOW."""
    for name in ("read", "now"):
        monkeypatch.setattr(Clock, name, lambda _: NOW)


def make_keys(application: Application, count: int, body: str | None = None) -> list[CacheKey]:
    """Keys `product-0001` … of one source, whose variable is their number."""
    source = make_source(application)
    now = fleet.database_now()
    keys = CacheKey.objects.bulk_create(
        CacheKey(
            application=application, source=source, name=f"product-{n:04}", variables={"PRODUCT_ID": str(n)},
            created_at=now, updated_at=now,
        )
        for n in range(1, count + 1)
    )  # fmt: skip
    old = {} if body is None else {"body": body, "etag": hashlib.sha256(body.encode()).hexdigest()}
    past = now - timedelta(hours=1)
    times = {} if body is None else dict.fromkeys(("started_at", "fetched_at", "changed_at", "tried_at"), past)
    CachedValue.objects.bulk_create(CachedValue(key=key, **old, **times) for key in keys)
    return keys


def begun(task: Task, **fields: Any) -> Run:
    """A run of a task in this worker's hands."""
    given = {"cause": Cause.MANUAL, "worker": ME, "started_at": fleet.database_now(), "number": 1, **fields}
    return make_run(task.runnable, State.RUNNING, **given)


async def aside(ask: Callable[..., Any], *args: Any) -> Any:
    """Do what uses the database beside the loop of a test, and leave no connection behind."""

    def asked() -> Any:
        try:
            return ask(*args)
        finally:
            connection.close()

    return await asyncio.to_thread(asked)


async def performed_by(run: Run, task: Task, **fields: Any) -> Outcome:
    """One stay of a run in a worker's hands, on a loop of the test's."""
    given = {"input": run.input, "worker": run.worker, "started_at": run.started_at, "kind": "sync", **fields}
    async with open_means() as means:
        return await perform.perform_task(claimed(run, **given), task, means)


def performed(run: Run, task: Task, **fields: Any) -> Outcome:
    """One stay of a run in a worker's hands."""
    return asyncio.run(performed_by(run, task, **fields))
