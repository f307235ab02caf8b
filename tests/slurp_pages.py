"""Async jobs, slurpers and collections in every state, for the pages that show them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from badgerjobs.runs.models import State
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from slurps.collecting.services import activate, create_collection
from slurps.guarding import flags_of
from slurps.models import AsyncJob, Collection, Version
from slurps.services import create_async_job
from slurps.slurper_services import create_slurper
from slurps.storing.loading import Loader
from slurps.storing.staging import begin
from slurps.storing.swapping import hold, loaded_by, show
from tests.factories import make_run, make_source

_WROTE = {"stage": "ready", "version": 1, "read": 10**6, "added": 10**5, "changed": 10**5, "removed": 9, "bytes": 10**8}
_CODE = "return dataMap.rows.map((row) => ({...row, price: Number(row.price)}))"


def fill_slurps(application: Application, now: datetime, *, mark: str, long: str, markup: str) -> Mapping[str, str]:
    """One of everything, short and far too long. What stands in addresses, by the name that it has there."""
    _sources(application, mark, long)
    _slurpers(application, now, mark, long, markup)
    jobs = [_job(application, tag, now, name=f"{mark} {tag}"[:200], **more) for tag, more in _jobs(long).items()]
    for number in range(1, 13):
        state = State.FAILED if number % 5 == 0 else State.SUCCEEDED
        output = {**_WROTE, "collection": "prices", "written": number * 1000}
        _ended(jobs[0], number + 100, state, now, error=long if state == State.FAILED else "", output=output)
    _ended(jobs[1], 1, State.SUCCEEDED, now, output={**_WROTE, "collection": long[:200], "written": 3, "stage": "held"})
    AsyncJob.objects.filter(pk=jobs[0].pk).update(remembered={"rows": long, mark: 12})
    name = _collections(jobs[0], now, mark, long, markup)
    empty = _collection(jobs[1], long[:200], now, mode="accumulative")
    activate(collection=empty, by=audit.OPERATOR, now=now)
    return {"async-jobs/tag": jobs[0].tag, "slurpers/tag": "cleans", "collections/name": name, "versions/number": "1"}


def _sources(application: Application, mark: str, long: str) -> None:
    given = {"type": "JSONL", "configuration": {"url": "https://example.com/{{DAY}}"}}
    make_source(application, "rows", name=f"{mark} rows", **given, variables=["DAY"])
    make_source(application, f"rows-{long}"[:200], name=f"rows {long}"[:200], **given, variables=[long])


def _slurpers(application: Application, now: datetime, mark: str, long: str, markup: str) -> None:
    rows: Mapping[str, dict[str, Any]] = {
        "cleans": {"language": "javascript", "code": f"// {markup}\n{_CODE}", "sources": ["rows"]},
        "batches": {"language": "javascript_batches", "code": f"return {long!r}", "sources": [f"rows-{long}"[:200]]},
        long[:200]: {"sources": ["rows", f"rows-{long}"[:200]]},
    }
    for tag, fields in rows.items():
        given = {"name": f"{mark} {tag}"[:200], **fields}
        create_slurper(application=application, tag=tag, by=audit.OPERATOR, now=now, **given)


def _jobs(long: str) -> Mapping[str, dict[str, Any]]:
    return {
        "imports": {"slurper": "cleans", "run_every": "PT1H", "overlap": "queue_one", "timeout_s": 60},
        long[:200]: {"slurper": long[:200], "cron": "*/5 * * * *", "time_zone": "America/New_York"},
        "by-hand-only": {"slurper": "batches", "enabled": False, "pause_reason": long[:200]},
    }


def _job(application: Application, tag: str, now: datetime, **fields: Any) -> AsyncJob:
    return create_async_job(application=application, tag=tag, by=audit.OPERATOR, now=now, **fields)


def _ended(job: AsyncJob, number: int, state: State, now: datetime, **fields: Any) -> None:
    times = {"created_at": now, "started_at": now, "finished_at": now}
    make_run(job.runnable, state, number=number, **times, **fields)


def _collection(job: AsyncJob, name: str, now: datetime, **fields: Any) -> Collection:
    return create_collection(job=job, name=name, by=audit.OPERATOR, now=now, **fields)


def _collections(job: AsyncJob, now: datetime, mark: str, long: str, markup: str) -> str:
    """One of each mode; the one that is active has versions, a pinned one, and a result that waits."""
    for mode, key in (("normal", []), ("upserted", ["id"]), ("accumulative_versioned", [])):
        _collection(job, f"{mark}-{mode}", now, mode=mode, key=key)
    given = {"key": ["id"], "keep": 5, "indexed": ["id"], "guards": {"smaller_percent": 20.0, "columns": "freeze"}}
    name = f"{mark}-prices"
    collection = activate(collection=_collection(job, name, now, mode="versioned", **given), by=audit.OPERATOR, now=now)
    rows = [_row(number, mark, long, markup) for number in range(120)]
    _load(collection, now, rows)
    _load(collection, now, [*rows[5:], *({**row, "price": 1} for row in rows[:3])])
    _load(collection, now, [{"id": 1, "is": "new"}])
    first = collection.versions.get(number=1)
    Collection.objects.filter(pk=collection.pk).update(pinned=first)
    return name


def _row(number: int, mark: str, long: str, markup: str) -> dict[str, Any]:
    row: dict[str, Any] = {"id": number, "title": f"{mark} {number}", "price": number / 4, "is": number % 2 == 0}
    row |= {"size": {"h": number, "d": [long]}, "note": long if number == 3 else markup, "gone": None}
    return row | {f"column {place} {long if place == 2 else ''}": place for place in range(12)}


def _load(collection: Collection, now: datetime, rows: list[Any]) -> Version:
    """A run's result, shown; or held, where its guards say so."""
    run = make_run(collection.async_job.runnable, State.RUNNING, number=200, created_at=now, started_at=now)
    version = begin(collection=collection, run_id=run.pk, worker=None, now=now)
    loader = Loader(version)
    loader.add(rows)
    loader.flush()
    loaded = loaded_by(loader.encoder, read=len(rows))
    collection.refresh_from_db()
    flags = flags_of(collection, version, loaded)
    made = hold(version, loaded, flags, worker=None) if flags else show(version, loaded, worker=None)
    type(run).objects.filter(pk=run.pk).update(state=State.SUCCEEDED, finished_at=now)
    collection.refresh_from_db()
    return made
