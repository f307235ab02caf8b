"""`manage.py up` for real: its processes, its ends, and what a `kill -9` leaves."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from django.conf import settings

from badgerjobs.embedded.layout import Layout
from badgerjobs.embedded.postgres import programs_folder
from badgerjobs.embedded.processes import is_alive, kill_all, marked, working_in
from badgerjobs.embedded.stack import MARK
from tests.waiting import until

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
TOKEN = re.compile(r"Bearer (\S+)'")


@dataclass
class Up:
    """A `manage.py up` that was started, its data directory, and what it said so far."""

    process: subprocess.Popen[bytes]
    layout: Layout
    port: int
    log: Path

    def said(self) -> str:
        return self.log.read_text()

    def until_ready(self) -> None:
        until(lambda: "ready: " in self.said() or self.process.poll() is not None)
        assert f"ready: http://127.0.0.1:{self.port}\n" in self.said(), self.said()

    def health(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def children(self) -> list[int]:
        return sorted(
            [
                *marked(MARK, str(self.layout.data_dir)),
                *working_in(self.layout.postgres_dir, "postgres"),
                *working_in(self.layout.valkey_dir, "valkey-server"),
            ]
        )

    def pid_of(self, name: str) -> int:
        """The process of that name which `up` itself started; 0 while there is none."""
        return next((pid for pid, command in started_by(self.process.pid) if name in command), 0)

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        password = self.layout.secret("postgres_password")
        folder = str(self.layout.socket_dir)
        return psycopg.connect(
            host=folder, user="badgerjobs", dbname="badgerjobs", password=password, port=5432, autocommit=True
        )


def started_by(parent: int) -> list[tuple[int, str]]:
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(parent)], capture_output=True, text=True, check=False
    )
    return [(int(line.split()[0]), line) for line in listed.stdout.splitlines()]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def environment(layout: Layout, port: int, **more: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    return {**ours, "BADGERJOBS_DATA_DIR": str(layout.data_dir), "PORT": str(port), "WORKERS": "1", **more}


@contextmanager
def running_up(layout: Layout, *arguments: str, **more: str) -> Iterator[Up]:
    port = free_port()
    layout.make_data_dir()
    log = layout.data_dir.parent / f"{layout.data_dir.name[:20]}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "up", *arguments],
            env=environment(layout, port, **more),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
        )
    up = Up(process, layout, port, log)
    try:
        yield up
    finally:
        process.kill()
        process.wait()
        kill_all(up.children())
        if layout.data_dir not in layout.socket_dir.parents:
            shutil.rmtree(layout.socket_dir, ignore_errors=True)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Where, as root, the servers' account may pass."""
    path = Path(tempfile.mkdtemp(prefix="badgerjobs-tests-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def up(place: Path) -> Iterator[Up]:
    """One for all that leaves it running; with a space in its path."""
    with running_up(Layout(place / "a data directory")) as started:
        started.until_ready()
        yield started


def second(layout: Layout, port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "up"],
        env=environment(layout, port),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_when_it_says_ready_it_is_well_and_a_newcomer_has_a_token(up: Up) -> None:
    assert up.health() == 200
    token = TOKEN.search(up.said())
    assert token
    connection = http.client.HTTPConnection("127.0.0.1", up.port, timeout=5)
    connection.request("GET", "/api/v1/jobs/", headers={"Authorization": f"Bearer {token[1]}"})
    answer = connection.getresponse()
    assert answer.status == 200
    assert json.load(answer)["results"]
    connection.close()


def test_every_line_until_ready_says_when_and_who(up: Up) -> None:
    before = up.said().partition("ready: ")[0].splitlines()
    assert {"postgres", "up"} <= {line.split()[1] for line in before}
    assert [line for line in before if not re.match(r"\d\d:\d\d:\d\d \S+ +\| ", line)] == []


def test_a_second_on_the_same_data_directory_is_told_who_holds_it(up: Up) -> None:
    result = second(up.layout, free_port())
    assert result.returncode == 2
    assert f"in use by process {up.process.pid}, which serves http://127.0.0.1:{up.port}" in result.stderr
    assert up.health() == 200


def test_a_port_in_use_is_said_with_the_variable_to_set(up: Up, place: Path) -> None:
    layout = Layout(place / "another")
    result = second(layout, up.port)
    assert result.returncode == 2
    assert f"port {up.port}: Address already in use. Set PORT" in result.stderr
    assert not layout.postgres_dir.exists()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("bin/postgres", "postgres"),
        ("valkey-server", "valkey"),
        ("manage.py worker", "worker-1"),
        ("manage.py beat", "beat"),
        ("gunicorn", "web"),
    ],
)
def test_a_process_that_is_killed_is_started_again_and_the_log_says_so(name: str, shown: str, up: Up) -> None:
    killed = up.pid_of(name)
    assert killed  # 0 would be the tests themselves
    os.kill(killed, signal.SIGKILL)
    until(lambda: f"{shown} was killed by SIGKILL; it is started again" in up.said())
    until(lambda: up.pid_of(name) not in {0, killed})
    until(lambda: up.health() == 200)


def test_after_kill_9_of_everything_the_next_start_loses_no_row_and_leaves_no_orphan(place: Path) -> None:
    layout = Layout(place / "killed")
    with running_up(layout) as first:
        first.until_ready()
        with first.connect() as database:
            database.execute("CREATE TABLE kept (number int)")
            for number in range(100):
                database.execute("INSERT INTO kept VALUES (%s)", [number])
            before = first.children()
            # One that is stopped cannot notice that it is an orphan, and would keep the port.
            (stopped, _), *_ = started_by(first.pid_of("gunicorn"))
            os.kill(stopped, signal.SIGSTOP)
            os.kill(first.pid_of("bin/postgres"), signal.SIGKILL)
            first.process.kill()
            first.process.wait()
        assert is_alive(stopped)
        with running_up(layout) as again:
            again.until_ready()
            assert [pid for pid in before if is_alive(pid)] == []
            with again.connect() as database:
                assert database.execute("SELECT count(*) FROM kept").fetchone() == (100,)
            assert not TOKEN.search(again.said())  # the demo is made once
            assert again.health() == 200


def test_sigterm_ends_all_of_it_within_ten_seconds_also_on_a_path_too_long_for_a_socket(place: Path) -> None:
    layout = Layout(place / ("long" * 30))
    assert len(str(layout.data_dir)) > 140
    with running_up(layout) as up:
        up.until_ready()
        children = up.children()
        assert len(children) > 5
        began = time.monotonic()
        up.process.terminate()
        assert up.process.wait(15) == 0
        assert time.monotonic() - began < 10
        assert [pid for pid in children if is_alive(pid)] == []
        assert up.children() == []
        assert "killed" not in up.said()
        assert re.search(r"\d\d up       \| stopped in \d\.\d s\n$", up.said())


def test_ctrl_c_during_the_start_ends_what_was_started(place: Path) -> None:
    with running_up(Layout(place / "early")) as up:
        until(lambda: "postgres | " in up.said())
        os.killpg(up.process.pid, signal.SIGINT)
        assert up.process.wait(15) == 0
        assert up.children() == []
        assert "ready: " not in up.said()


def test_a_dump_is_restored_beside_the_servers_alone_as_the_docs_say(place: Path) -> None:
    layout = Layout(place / "restored")
    page = (ROOT / "docs" / "running.md").read_text()
    dump, restore = re.findall(r"^\$tools/(pg_\w+ .*)$", page, re.MULTILINE)
    known = {
        "PATH": f"{programs_folder()}:/usr/bin:/bin",
        "PGHOST": str(layout.socket_dir),
        "PGUSER": "badgerjobs",
        "PGPASSWORD": layout.secret("postgres_password"),
    }
    with running_up(layout, "--servers") as up:
        until(lambda: "ready: servers only\n" in up.said())
        assert marked(MARK, str(layout.data_dir)) == []
        with up.connect() as database:
            database.execute("CREATE TABLE kept AS SELECT 1 AS one")
            subprocess.run(dump, shell=True, check=True, env=known, cwd=place)
            database.execute("UPDATE kept SET one = 2")
            subprocess.run(restore, shell=True, check=True, env=known, cwd=place)
            assert database.execute("SELECT one FROM kept").fetchone() == (1,)


def test_with_servers_given_nothing_embedded_starts(place: Path) -> None:
    database = settings.DATABASES["default"]
    name = "given_to_up"
    known = {"host": database["HOST"], "port": database["PORT"] or 5432, "user": database["USER"]}
    with psycopg.connect(**known, password=database["PASSWORD"], dbname="postgres", autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name}")
        server.execute(f"CREATE DATABASE {name}")
    given = {
        "DATABASE_URL": f"postgres://{known['user']}:{quote(database['PASSWORD'])}"
        f"@{quote(str(known['host']), safe='')}:{known['port']}/{name}",
        "REDIS_URL": settings.REDIS_URL.partition("?")[0] + "?db=15",
        "SECRET_KEY": "only for this test",
        "ENCRYPTION_KEYS": settings.ENCRYPTION_KEYS[0],
    }
    layout = Layout(place / "given")
    with running_up(layout, **given) as up:
        up.until_ready()
        assert sorted(path.name for path in layout.data_dir.iterdir()) == ["lock", *_secrets_if_any(layout)]
        assert not re.search(r" (postgres|valkey) +\| ", up.said())
        up.process.terminate()
        assert up.process.wait(15) == 0
        assert up.children() == []


def _secrets_if_any(layout: Layout) -> list[str]:
    return ["secrets"] if (layout.data_dir / "secrets").exists() else []
