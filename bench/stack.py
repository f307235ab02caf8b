"""The processes that are measured: web, beat and workers as `make up` starts them, and the receiver they call."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from django.conf import settings

from badgerjobs.embedded.processes import Program, spawn
from badgerjobs.embedded.stack import command
from badgerjobs.runs.models import Leader, Queue, Worker

READY_S = 60


@dataclass(frozen=True)
class Receiver:
    """The receiver's process, and what was called."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def arrivals(self) -> dict[str, list[float]]:
        """Run id → Unix times at which its call came, since this was last asked."""
        asked = HTTPConnection("127.0.0.1", self.port, timeout=30)
        asked.request("GET", "/arrivals")
        found: dict[str, list[float]] = json.loads(asked.getresponse().read())
        asked.close()
        return found


@contextmanager
def receiving(after_s: float = 0) -> Iterator[Receiver]:
    """Start a receiver that the stack, started afterwards, may call, and that answers after so many seconds."""
    program = Program("receiver", [sys.executable, "-m", "bench.receiver", str(after_s)], folder=settings.BASE_DIR)
    process = spawn(program, subprocess.PIPE)
    try:
        assert process.stdout is not None  # noqa: S101
        port = int(process.stdout.readline())
        os.environ["EGRESS_ALLOW"] = f"127.0.0.1:{port}"
        yield Receiver(process.pid, port)
    finally:
        end(process)


@dataclass(frozen=True)
class Stack:
    """Process ids of what runs, by name: `beat`, `worker-1`, …"""

    pids: dict[str, int]


@contextmanager
def running(workers: int | None = None) -> Iterator[Stack]:
    """Start beat and so many workers (`WORKERS`), wait until all are ready, and end them with the block."""
    workers = workers or settings.WORKERS
    names = ["beat", *(f"worker-{number}" for number in range(1, workers + 1))]
    log = settings.DATA_DIR / "stack.log"
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        with log.open("ab") as output:
            for name in names:
                processes[name] = spawn(command(name, "--skip-checks"), output)  # a third of its start
        wait_until(lambda: _is_ready(processes, workers, log), seconds=READY_S, what="beat and workers")
        yield Stack({name: process.pid for name, process in processes.items()})
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            end(process)


def _is_ready(processes: dict[str, subprocess.Popen[bytes]], workers: int, log: Path) -> bool:
    for name, process in processes.items():
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended:\n{log.read_text(errors='replace')[-4000:]}")
    return Worker.objects.filter(queue=Queue.IO).count() == workers and Leader.objects.exists()


@contextmanager
def serving() -> Iterator[int]:
    """Start web as `make up` does, on a port of its own; give the port, and end it with the block."""
    port = free_port()
    os.environ["PORT"] = str(port)
    log = settings.DATA_DIR / "web.log"
    with log.open("ab") as output:
        process = spawn(command("web", "--skip-checks"), output)
    try:
        wait_until(lambda: answers(port), seconds=READY_S, what="web")
        yield port
    finally:
        end(process)


def answers(port: int) -> bool:
    """Whether a web server answers there, whatever it says.

    It takes connections some seconds before: from when its first process listens until another has read the code.
    """
    asked = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        asked.request("GET", "/healthz")
        return bool(asked.getresponse().status)
    except (OSError, HTTPException):
        return False
    finally:
        asked.close()


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def wait_until(done: Callable[[], bool], *, seconds: float, what: str, every: float = 0.05) -> None:
    """Ask every so many seconds until `done()`. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not done after {seconds:.0f} s")
        time.sleep(every)


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
