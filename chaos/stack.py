"""The processes, each of which may be killed, frozen or started by its name; and what each of them went through."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import Error, connection

from badgerjobs.embedded.layout import Layout
from badgerjobs.embedded.postgres import Postgres
from badgerjobs.embedded.processes import Program, spawn
from badgerjobs.embedded.stack import command
from badgerjobs.embedded.valkey import Valkey
from bench.stack import answers, wait_until

READY_S = 60
END_S = 12.0
SKEWED = Path(__file__).parent / "skewed"

Answer = TypeVar("Answer")


@dataclass(slots=True)
class Freeze:
    """A process that stood still, in Unix seconds."""

    name: str
    since: float
    until: float = float("inf")

    @property
    def seconds(self) -> float:
        return self.until - self.since


@dataclass
class Stack:
    """Servers, receiver, beats, workers and web, the last on `web_port`. Use it as a context: all is gone after it."""

    layout: Layout
    port: int
    web_port: int
    history: Path
    log: Path
    freezes: list[Freeze] = field(default_factory=list)
    died: list[str] = field(default_factory=list)  # those that ended by themselves: nobody asked them to
    _processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._servers: dict[str, Postgres | Valkey] = {
            "postgres": Postgres(self.layout),
            "valkey": Valkey(self.layout),
        }

    def __enter__(self) -> "Stack":
        return self

    def __exit__(self, *_: object) -> None:
        """End everything, the servers last."""
        connection.close()
        for name in sorted(self._processes, key=lambda name: name in self._servers):
            self.thaw(name)
            self.end(name) if name in self._servers else self.kill(name)

    def start(self, name: str, **environment: str) -> None:
        """Start it by name: `postgres`, `valkey`, `receiver`, `beat-1`, `worker-2`, … Comes back at once."""
        server = self._servers.get(name)
        if server:
            server.prepare()
        program = server.program() if server else self._program(name, environment)
        with self.log.open("ab") as output:
            self._processes[name] = spawn(program, output)

    def _program(self, name: str, environment: dict[str, str]) -> Program:
        if name != "receiver":
            program = command(name, "--skip-checks")  # a third of its start
            given = {**program.environment, "PORT": str(self.web_port), **environment}
            return Program(name, program.command, environment=given)
        words = [sys.executable, "-m", "chaos.receiver", str(self.port), str(self.history)]
        return Program(name, words, folder=settings.BASE_DIR)

    def start_skewed(self, name: str, seconds: float) -> None:
        """Start it with a clock that is wrong by so many seconds."""
        path = os.pathsep.join(filter(None, [str(SKEWED), os.environ.get("PYTHONPATH")]))
        self.start(name, PYTHONPATH=path, CHAOS_CLOCK_OFFSET_S=f"{seconds:.3f}")

    def kill(self, name: str) -> None:
        """SIGKILL, with what it started itself."""
        self.look_after(name)
        if process := self._processes.pop(name, None):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def kill_all(self, *names: str) -> None:
        for name in names:
            self.thaw(name)
            self.kill(name)

    def end(self, name: str) -> None:
        """Ask it to end, and kill what does not."""
        self.look_after(name)
        if name not in self._processes:
            return
        process = self._processes[name]
        server = self._servers.get(name)
        process.send_signal(server.program().stop_signal if server else signal.SIGTERM)
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.kill(name)
        self._processes.pop(name, None)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send it to a process and what it started itself, if it is there."""
        self.look_after(name)
        if process := self._processes.get(name):
            os.killpg(process.pid, number)

    def freeze(self, name: str) -> None:
        """SIGSTOP: it is there, and does nothing."""
        self.signal(name, signal.SIGSTOP)
        self.freezes.append(Freeze(name, time.time()))

    def thaw(self, name: str) -> None:
        """SIGCONT, if it was frozen."""
        for frozen in self.freezes:
            if frozen.name == name and frozen.until == float("inf"):
                frozen.until = time.time()
                self.signal(name, signal.SIGCONT)

    def look_after(self, *names: str) -> None:
        """Find those that ended by themselves: of all, unless some are named. They are not started again."""
        for name in names or tuple(self._processes):
            if (process := self._processes.get(name)) and process.poll() is not None:
                self.died.append(f"{name} (status {process.returncode})")
                del self._processes[name]

    def wait_for_servers(self) -> None:
        """Until both answer. Raises TimeoutError."""
        for name, server in self._servers.items():
            wait_until(server.is_ready, seconds=READY_S, what=name)

    def wait_for(self, *names: str) -> None:
        """Until each of these beats and workers, or web, is at work. Raises TimeoutError, RuntimeError."""
        for name in names:
            wait_until(lambda name=name: self.is_seen(name), seconds=READY_S, what=name)  # type: ignore[misc]

    def is_seen(self, name: str) -> bool:
        """Whether this one, as it is now, has its row, or web answers. RuntimeError when it ended by itself."""
        self.look_after(name)
        if name not in self._processes:
            raise RuntimeError(f"{name} ended by itself:\n{self.said()}")
        if name == "web":
            return answers(self.web_port)
        table = "runs_worker" if name.startswith("worker") else "runs_beat"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT 1 FROM {table} WHERE name LIKE %s", [f"%:{self._processes[name].pid}"])  # noqa: S608
            return cursor.fetchone() is not None

    def said(self) -> str:
        """The last lines of everybody's log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])


def until_the_database_answers(ask: Callable[[], Answer], *, seconds: float = READY_S) -> Answer:
    """Ask again while the database is away. Raises what it raised last after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except Error:
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
