"""WHAT=collections: how fast rows are collected in each way of writing, and how fast they are read again.

Rows come as JSON lines from a server on this machine. Where dlt is installed, it does the same in the same run.
"""

import json
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any
from urllib.request import urlopen

from django.conf import settings

from badgerjobs.embedded.processes import Program, spawn
from badgerjobs.runs.models import Cause, Queue, Run, Runnable, State
from badgerjobs.runs.services import run_now
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.types import type_of
from badgerjobs.workspaces.models import Application, Workspace
from bench import collected_pages as pages
from bench import dlt_beside, stack
from bench.report import say, table
from slurps.models import KIND, AsyncJob, Collection, Mode, Slurper, SlurperSource

GIVE_UP_S = 600
WRITES = {"replace": Mode.NORMAL, "append": Mode.ACCUMULATIVE, "merge": Mode.UPSERTED}
CHANGED = 100  # one row of so many


@contextmanager
def serving_rows() -> Iterator[str]:
    """Start the server of rows; give its address."""
    program = Program("rows", [sys.executable, "-m", "bench.row_server"], folder=settings.BASE_DIR)
    process = spawn(program, subprocess.PIPE)
    try:
        assert process.stdout is not None  # noqa: S101
        port = int(process.stdout.readline())
        os.environ["EGRESS_ALLOW"] = f"127.0.0.1:{port}"
        yield f"http://127.0.0.1:{port}"
    finally:
        stack.end(process)


def measure(options: Namespace) -> dict[str, Any]:
    """Collect the same rows in each way, so many times; then a large collection, of which a hundredth changes."""
    with serving_rows() as address:
        workspace = Workspace.objects.create(name="bench")
        application = Application.objects.create(workspace=workspace, name="collections")
        with stack.running(workers=1) as running:
            warm = _job(application, "warm", f"{address}/10/0", Mode.NORMAL)
            _run(warm)  # until the process is there
            rates = {
                name: [_rate(application, f"{name}-{n}", address, mode, options) for n in range(options.rounds)]
                for name, mode in WRITES.items()
            }
            large = _large(application, address, running.pids["worker-1"], options)
        theirs = dlt_beside.rates(address, options.collected) if dlt_beside.is_there() else {}
        reading = pages.read(application, "large", field="age", values=range(97))
    return _shown(rates, large, theirs, reading, options)


def _job(application: Application, tag: str, url: str, mode: str) -> AsyncJob:
    """A source, a slurper that takes its rows as they come, a job and its active collection."""
    configuration = type_of("JSONL").serializer(data={"url": url, "timeout": 300})
    configuration.is_valid(raise_exception=True)
    source = DataSource.objects.create(
        application=application, tag=tag, name=tag, type="JSONL", configuration=configuration.validated_data
    )
    slurper = Slurper.objects.create(application=application, tag=tag, name=tag)
    SlurperSource.objects.create(slurper=slurper, source=source, place=1)
    runnable = Runnable.objects.create(
        application=application, kind=KIND, queue=Queue.COMPUTE, name=tag, anchor=datetime.now(UTC)
    )
    job = AsyncJob.objects.create(application=application, runnable=runnable, slurper=slurper, tag=tag, name=tag)
    Collection.objects.create(
        application=application, async_job=job, name=tag, mode=mode, keep=2 if mode.endswith("versioned") else 1,
        key=["id"] if mode.startswith("upserted") else [], indexed=["age"], is_active=True,
    )  # fmt: skip
    return job


def _run(job: AsyncJob) -> Run:
    """Run it to its end. Raises RuntimeError when it fails."""
    made = run_now(runnable=job.runnable, cause=Cause.MANUAL, now=datetime.now(UTC))
    over = Run.objects.filter(pk=made.pk, finished_at__isnull=False)
    stack.wait_until(over.exists, seconds=GIVE_UP_S, what=job.tag)
    run = over.get()
    if run.state != State.SUCCEEDED:
        raise RuntimeError(f"{job.tag} {run.state}: {run.error}")
    return run


def _rate(application: Application, tag: str, address: str, mode: str, options: Namespace) -> float:
    """Rows a second, from when the run began until it was over. Merged ones meet as many that are there."""
    job = _job(application, tag, f"{address}/{options.collected}/0", mode)
    if mode == Mode.UPSERTED:
        _run(job)
        _point(job, f"{address}/{options.collected}/{options.collected}")
    run = _run(job)
    rate: float = options.collected / _seconds(run)
    say(f"{tag}: {rate:,.0f} rows a second")
    return rate


def _seconds(run: Run) -> float:
    """From when it began until it was over."""
    assert run.started_at  # noqa: S101
    assert run.finished_at  # noqa: S101
    return (run.finished_at - run.started_at).total_seconds()


def _point(job: AsyncJob, url: str) -> None:
    source = DataSource.objects.get(application=job.application, tag=job.tag)
    source.configuration = {**source.configuration, "url": url}
    source.save()


def _large(application: Application, address: str, worker: int, options: Namespace) -> dict[str, float]:
    """A new version of many rows, of which one in a hundred has changed."""
    job = _job(application, "large", f"{address}/{options.large}/0", Mode.UPSERTED_VERSIONED)
    with _memory_of(worker) as memory:
        first = _run(job)
        _point(job, f"{address}/{options.large}/{options.large // CHANGED}")
        second = _run(job)
    ended = json.loads(urlopen(f"{address}/ended").read())  # noqa: S310  ours
    version = Collection.objects.select_related("current").get(name="large").current
    if version is None or (version.changed, version.rows) != (options.large // CHANGED, options.large):
        raise RuntimeError(f"the large collection has {version and version.rows} rows.")
    assert second.finished_at  # noqa: S101
    return {
        "rows": options.large,
        "first_rows_per_second": round(options.large / _seconds(first)),
        "readable_after_last_byte_s": round(second.finished_at.timestamp() - ended, 2),
        "memory_mb": round(max(memory) / 2**20),
    }


@contextmanager
def _memory_of(worker: int) -> Iterator[list[int]]:
    """The resident bytes of the largest process that the worker has started, looked at five times a second."""
    over, seen = Event(), [0]

    def look() -> None:
        while not over.wait(0.2):
            seen.append(max((_resident(pid) for pid in _children(worker)), default=0))

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def _children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout  # noqa: S607
    return [int(one) for one in found.split()]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _shown(
    rates: dict[str, list[float]],
    large: dict[str, float],
    theirs: dict[str, float],
    reading: dict[str, float],
    options: Namespace,
) -> dict[str, Any]:
    ours = {name: round(median(all_of)) for name, all_of in rates.items()}
    table(
        [f"{options.collected:,} rows", "rows a second", "dlt", "times"],
        [
            [name, f"{rate:,}", *([f"{theirs[name]:,.0f}", f"{rate / theirs[name]:.1f}"] if theirs else ["", ""])]
            for name, rate in ours.items()
        ],
    )
    table(["a large collection", ""], [[name, f"{value:,}"] for name, value in (large | reading).items()])
    return {"rows_per_second": ours, "dlt": theirs, "large": large, "reading": reading, "rows": options.collected}
