"""The whole service as real processes, each of which a test may kill, stop or start by its name."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString, Self

import psycopg
import pytest
import redis

from badgerjobs.embedded.layout import Layout
from badgerjobs.embedded.postgres import DATABASE, PORT, USER, Postgres
from badgerjobs.embedded.processes import Program, spawn
from badgerjobs.embedded.valkey import Valkey
from bench.stack import answers
from tests.e2e.receiver import Receiver
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
# Nothing of these may come from whoever runs the tests: the stack has servers and secrets of its own.
UNSET = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "ALLOWED_HOSTS", "DEBUG"), "")


@dataclass(frozen=True, slots=True)
class Reply:
    """What REST said. `seconds` since 1970: when it was there."""

    status: int
    data: Any
    at: float


class Stack:
    """Servers with durable settings, web, and as many beats and workers as a test starts. Use it as a context."""

    def __init__(self, folder: Path, receiver: Receiver) -> None:
        self.receiver = receiver
        self.layout = Layout(folder / "data")
        self.servers: dict[str, Postgres | Valkey] = {"postgres": Postgres(self.layout), "valkey": Valkey(self.layout)}
        self.port = free_port()
        self.token = ""
        self.environment = UNSET | {
            "BADGERJOBS_DATA_DIR": str(folder / "data"),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DEMO": "1",
            "EGRESS_ALLOW": receiver.address,
            "RATE_LIMIT_PER_SECOND": "100000",
            "LOG_LEVEL": "INFO",
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._log_file = folder / "log"
        self._database: psycopg.Connection[Any] | None = None

    def __enter__(self) -> Self:
        for name in self.servers:
            self.start(name)
        self.manage("migrate", "--verbosity=0", "--no-input")
        self.token = self.manage("create_application", "e2e", "--workspace", "tests").strip()
        self.start("web")
        return self

    def __exit__(self, *_: object) -> None:
        self._disconnect()
        self.kill(*self.fleet(), "web")
        for name in self.servers:
            if name in self._processes:
                self.end(name)

    # Processes

    def start(self, *names: str, **environment: str) -> None:
        """Start by name: `postgres`, `valkey`, `web`, `beat-1`, `worker-2`, … Comes back when each is at work."""
        self.begin(*names, **environment)
        for name in names:
            self.until(lambda name=name: self._is_at_work(name), f"{name} is at work")  # type: ignore[misc]

    def begin(self, *names: str, **environment: str) -> None:
        """The same, and come back at once."""
        if "postgres" in names:
            self._disconnect()  # what the test itself had to the one before
        for name in names:
            server = self.servers.get(name)
            if server:
                server.prepare()
            program = server.program() if server else self._program(name, environment)
            with self._log_file.open("ab") as log:
                self._processes[name] = spawn(program, log)

    def fleet(self) -> list[str]:
        """Name the beats and workers that were started and not ended by the test."""
        return [name for name in self._processes if name.startswith(("beat", "worker"))]

    def pid(self, name: str) -> int:
        """The number of a process."""
        return self._processes[name].pid

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal."""
        self._processes[name].send_signal(number)

    def kill(self, *names: str) -> None:
        """`kill -9`, if it is there, with what it started itself (gunicorn's workers)."""
        for name in names:
            if process := self._processes.pop(name, None):
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def kill_worker(self, name: str) -> None:
        """`kill -9`, and its lease is over at once. In this order: one that lives renews it."""
        self.signal(name, signal.SIGKILL)
        self.let_lease_run_out(name)
        self.kill(name)

    def end(self, name: str) -> float:
        """Ask it to end, and wait: as long as `make up` does. Returns how many seconds that took."""
        began = time.monotonic()
        stop = self.servers[name].program().stop_signal if name in self.servers else signal.SIGTERM
        self.signal(name, stop)
        try:
            self._processes[name].wait(10)
        except subprocess.TimeoutExpired:
            pytest.fail(f"{name} does not end{self.said()}")
        del self._processes[name]
        return time.monotonic() - began

    def manage(self, *arguments: str) -> str:
        """Run one of manage.py's commands to its end; returns what it printed."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        with self._log_file.open("ab") as log:
            return subprocess.run(
                command, env=os.environ | self.environment, stdout=subprocess.PIPE, stderr=log, check=True, text=True
            ).stdout

    def _program(self, name: str, environment: dict[str, str]) -> Program:
        # Django's checks take a third of a start. `make check` makes them, and so does what test_up.py starts.
        command = [sys.executable, str(ROOT / "manage.py"), name.partition("-")[0], "--skip-checks"]
        return Program(name=name, command=command, environment=self.environment | environment)

    def _is_at_work(self, name: str) -> bool:
        process = self._processes[name]
        assert process.poll() is None, f"{name} ended with status {process.returncode}{self.said()}"
        if server := self.servers.get(name):
            return server.is_ready()
        if name.startswith("worker"):
            return bool(self.sql("SELECT 1 FROM runs_worker WHERE name LIKE %s", f"%:{process.pid}"))
        if name == "web":
            return answers(self.port)
        # A beat says so after its first turn.
        return bool(self.sql("SELECT 1 FROM runs_beat WHERE name LIKE %s", f"%:{process.pid}"))

    # What can be asked

    def until(self, condition: Callable[[], object], what: str, *, seconds: float = PATIENCE_S) -> None:
        """Wait for a row, a call or the like; fail with the end of the log when it does not come in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"still not after {seconds} s: {what}{self.said()}"
            time.sleep(0.02)

    def said(self) -> str:
        """The last lines of all processes' log, of this test."""
        return "\n" + "\n".join(self._log_file.read_text(errors="replace").splitlines()[-60:])

    def sql(self, query: LiteralString | bytes, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a statement, which commits by itself."""
        try:
            cursor = self._connected().execute(query, values or None)
            return cursor.fetchall() if cursor.description else []
        except psycopg.OperationalError:
            self._disconnect()
            raise

    def let_lease_run_out(self, name: str) -> None:
        """Put back when a dead or stopped worker was last seen, so that nobody has to wait for the rescue."""
        me = f"%:{self._processes[name].pid}"
        self.sql("UPDATE runs_worker SET seen_at = seen_at - interval '1 minute' WHERE name LIKE %s", me)

    def hasten_rescue(self) -> None:
        """Let the beat that leads look each second, and not every five, for what the dead have left."""
        self.sql("UPDATE django_celery_beat_intervalschedule SET every = 1 WHERE every = 5 AND period = 'seconds'")
        # Without this it reads them anew after five minutes.
        self.sql("UPDATE django_celery_beat_periodictasks SET last_update = now()")

    def connect(self) -> psycopg.Connection[Any]:
        """A connection to the database, each statement of which commits by itself."""
        return psycopg.connect(
            host=str(self.layout.socket_dir),
            port=PORT,
            user=USER,
            dbname=DATABASE,
            password=self.layout.secret("postgres_password"),
            autocommit=True,
        )

    def request(self, method: str, path: str, body: Any = None, *, token: str = "") -> Reply:
        """Ask over HTTP, with the stack's token or this one; `body` goes as JSON.

        A path without a leading slash is one of the API's.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/json"}
        try:
            connection.request(
                method,
                path if path.startswith("/") else f"/api/v1/{path}",
                None if body is None else json.dumps(body),
                headers,
            )
            response = connection.getresponse()
            text = response.read().decode()
            return Reply(response.status, json.loads(text) if text else None, time.time())
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """What REST shows there; fails unless it is a 200."""
        reply = self.request("GET", path)
        assert reply.status == 200, reply
        return reply.data

    def create_job(self, tag: str, **fields: Any) -> Any:
        """A job by REST that calls the receiver at `/TAG`."""
        reply = self.request("POST", "jobs/", {"tag": tag, "endpoint": f"{self.receiver.url}/{tag}", **fields})
        assert reply.status == 201, reply
        return reply.data

    def valkey(self) -> redis.Redis:
        """A client of the broker."""
        return redis.Redis.from_url(self.layout.redis_url)

    def forget(self) -> None:
        """No job, no run, no call; beats and workers go on."""
        self.until(self._is_emptied, "no row is left")
        with self.valkey() as client:
            client.flushall()
        self.receiver.forget()
        self._log_file.write_bytes(b"")

    def _is_emptied(self) -> bool:
        try:
            self.sql(
                "TRUNCATE jobs_job, tasks_backgroundrun, collections_row, collections_slurper, sources_datasource,"
                " runs_runnable, runs_run, runs_attempt, runs_logline, runs_worker, runs_beat, runs_leader CASCADE"
            )
        except psycopg.errors.DeadlockDetected:  # beats and workers look at the tables in orders of their own
            return False
        return True

    def clear(self) -> None:
        """Neither beat nor worker either."""
        self.kill(*self.fleet())
        self.forget()

    def _connected(self) -> psycopg.Connection[Any]:
        if self._database is None:
            self._database = self.connect()
        return self._database

    def _disconnect(self) -> None:
        if self._database:
            self._database.close()
        self._database = None


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])
