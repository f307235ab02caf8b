"""Hosts that hang: they take what one host may have, and never the worker."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from badgerjobs.runs import execute
from badgerjobs.runs.models import Attempt, LogLine, Run, State
from jobs.models import Job
from jobs.perform import HTTP
from tests.factories import make_application, make_job
from tests.runs.staging import Stage, queue, states
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def hanging(address: str) -> Iterator[str]:
    """A host that takes connections, and never answers on one."""
    with socket.create_server((address, 0), backlog=4096) as silent:
        yield f"http://{address}:{silent.getsockname()[1]}/"


class _Well(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def answering(address: str) -> Iterator[str]:
    with ThreadingHTTPServer((address, 0), _Well) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{address}:{server.server_port}/"
        finally:
            server.shutdown()


@pytest.fixture
def well(stage: Stage, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A host that answers at once; workers may call every address of loopback, and take their usual time."""
    settings.EGRESS_ALLOW = ["127.0.0.0/8"]
    monkeypatch.setattr(execute, "ASIDE_AFTER_S", 0.5)
    stage.kinds["http"] = HTTP
    with answering("127.0.0.99") as url:
        yield url


def pile(jobs: Sequence[Job], each: int) -> list[Run]:
    return [run for job in jobs for run in queue(job.runnable, each, kind="http")]


def is_done(job: Job, within: float) -> None:
    """A run of this job, queued now behind all the others, is performed within so many seconds."""
    [run] = queue(job.runnable, kind="http")
    until(lambda: states([run]) == {"succeeded"}, seconds=within)


def test_a_host_that_hangs_under_a_pile_delays_neither_other_applications_nor_its_own_for_long(
    stage: Stage, well: str
) -> None:
    alice, bob, charlie = (make_application(f"{name}'s") for name in ("Alice", "Bob", "Charlie"))
    with hanging("127.0.0.1") as hung:
        piled = pile([make_job(owner, "hangs", endpoint=hung) for owner in (alice, bob)], 1000)
        other, own = make_job(charlie, "other", endpoint=well), make_job(alice, "own", endpoint=well)
        with stage.executing(slots=400, most=200) as executor:
            until(lambda: Run.objects.filter(state=State.RUNNING).exists())
            is_done(other, within=2)
            is_done(own, within=6)
            until(lambda: "queued" not in states(piled))
            is_done(other, within=2)
            # Parked are as many as may be called and as may stand in line, and the others wait.
            assert Run.objects.filter(state=State.RUNNING).count() <= 600
            assert states(piled) == {"running", "scheduled"}
            executor.stop(0.05)
    assert not Attempt.objects.filter(ok=False).exists()
    waiting = Run.objects.filter(state=State.SCHEDULED)
    assert not waiting.exclude(started_at=None, worker=None, attempts=0).exists()
    assert not LogLine.objects.filter(run_id__in=waiting.values("pk")).exists()


def test_several_applications_that_call_several_hosts_which_hang_do_not_take_the_worker(
    stage: Stage, well: str
) -> None:
    owners = [make_application(f"Tenant {n}'s") for n in range(4)]
    other = make_job(make_application("Charlie's"), "other", endpoint=well)
    hosts = [hanging(f"127.0.0.{n}") for n in range(1, 9)]
    urls = [host.__enter__() for host in hosts]
    try:
        jobs = [make_job(owner, f"hangs-{n}", endpoint=url) for owner in owners for n, url in enumerate(urls)]
        piled = pile(jobs, 60)
        with stage.executing(slots=400, most=200) as executor:
            until(lambda: Run.objects.filter(state=State.RUNNING).count() > 300)
            for _ in range(3):
                is_done(other, within=2)
            until(lambda: "queued" not in states(piled))
            is_done(other, within=2)
            executor.stop(0.05)
    finally:
        for host in hosts:
            host.__exit__(None, None, None)
