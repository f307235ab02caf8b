"""Both servers for real, each test in a data directory of its own."""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
import redis
from kombu import Connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from badgerjobs.embedded.layout import Layout, broker_url_of
from badgerjobs.embedded.postgres import Postgres, tuned_for
from badgerjobs.embedded.processes import is_alive, kill_all, spawn, working_in
from badgerjobs.embedded.servers import FORGETFUL, running
from badgerjobs.embedded.valkey import Valkey
from tests.waiting import until

pytestmark = pytest.mark.e2e

GIGABYTE = 1024**3


@pytest.fixture
def layout(folder: Path) -> Layout:
    return Layout(folder / "data")


def connect(layout: Layout, **options: str) -> psycopg.Connection[tuple[object, ...]]:
    known = {"host": str(layout.socket_dir), "port": "5432", "user": "badgerjobs", "dbname": "badgerjobs"}
    return psycopg.connect(**{**known, "password": layout.secret("postgres_password"), **options}, autocommit=True)  # type: ignore[arg-type]


def valkey_of(layout: Layout) -> redis.Redis:
    return redis.Redis.from_url(layout.redis_url, decode_responses=True)


def start_postgres(layout: Layout) -> subprocess.Popen[bytes]:
    server = Postgres(layout, FORGETFUL)
    server.prepare()
    process = spawn(server.program(), subprocess.DEVNULL)
    until(server.is_ready)
    return process


@pytest.mark.parametrize("name", ["with a space", 'a,b "c" \\d', "a;b#c?d%20@e:f", "x" * 150, "größe"])
def test_both_run_in_a_directory_of_any_name_and_keep_what_they_have(name: str, folder: Path) -> None:
    layout = Layout(folder / name)
    try:
        with running(layout, FORGETFUL):
            with connect(layout) as database:
                database.execute("CREATE TABLE kept AS SELECT 1 AS one")
            with valkey_of(layout) as valkey:
                valkey.set("kept", "yes")
            with Connection(broker_url_of(layout.redis_url)) as broker:
                broker.SimpleQueue("bell").put({"rings": True})
                assert broker.SimpleQueue("bell").get(timeout=5).payload == {"rings": True}
        with running(layout, FORGETFUL):
            with connect(layout) as database:
                assert database.execute("SELECT one FROM kept").fetchone() == (1,)
            with valkey_of(layout) as valkey:
                assert valkey.get("kept") == "yes"
    finally:
        shutil.rmtree(layout.socket_dir, ignore_errors=True)  # it may lie in the temporary folder


def test_nothing_is_left_when_the_block_ends(layout: Layout) -> None:
    with running(layout, FORGETFUL):
        assert working_in(layout.postgres_dir, "postgres")
    assert not working_in(layout.postgres_dir, "postgres")
    assert not working_in(layout.valkey_dir, "valkey-server")


def test_who_has_no_password_gets_in_nowhere(layout: Layout) -> None:
    with running(layout, FORGETFUL):
        with pytest.raises(psycopg.OperationalError, match="password"):
            connect(layout, password="wrong")
        with (
            redis.Redis(unix_socket_path=str(layout.valkey_socket), retry=Retry(NoBackoff(), 0)) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.get("x")


def test_neither_listens_on_a_port(layout: Layout) -> None:
    with running(layout, FORGETFUL):
        with connect(layout) as database:
            assert database.execute("SHOW listen_addresses").fetchone() == ("",)
        with valkey_of(layout) as valkey:
            assert valkey.config_get("port") == {"port": "0"}


def test_the_secrets_are_not_readable_by_the_servers_account(layout: Layout) -> None:
    with running(layout, FORGETFUL):
        assert (layout.data_dir / "secrets").stat().st_mode & 0o777 == 0o700
        assert (layout.data_dir / "secrets").stat().st_uid == os.geteuid()
        password = layout.secret("valkey_password").encode()
        assert [path for path in layout.valkey_dir.rglob("*") if path.is_file() and password in path.read_bytes()] == []
        assert layout.socket_dir.stat().st_mode & 0o777 == 0o700


def test_settings_that_tests_ask_for_arrive_and_what_must_not_be_lost_is_safe_without(layout: Layout) -> None:
    with running(layout, {"work_mem": "9MB"}), connect(layout) as database:
        shown = [database.execute(f"SHOW {name}").fetchone() for name in ("work_mem", "synchronous_commit", "fsync")]
    assert shown == [("9MB",), ("on",), ("on",)]


@pytest.mark.parametrize(
    ("memory", "buffers", "cache"),
    [(GIGABYTE // 2, "48MB", "256MB"), (8 * GIGABYTE, "128MB", "4096MB"), (512 * GIGABYTE, "192MB", "262144MB")],
)
def test_memory_is_taken_by_the_size_of_the_machine_and_modestly(memory: int, buffers: str, cache: str) -> None:
    settings = tuned_for(memory)
    assert (settings["shared_buffers"], settings["effective_cache_size"]) == (buffers, cache)


def test_a_database_whose_making_was_interrupted_is_made_anew(layout: Layout) -> None:
    aside = layout.data_dir / "postgres.new"
    aside.mkdir(parents=True)
    layout.data_dir.chmod(0o711)
    (aside / "PG_VERSION").write_text("18\n")
    with running(layout, FORGETFUL):
        assert not aside.exists()


@pytest.mark.parametrize("content", ["", "PID\nDIR\n", "999999999\n", "rubbish"])
def test_a_pid_file_that_means_nobody_does_not_block(content: str, layout: Layout) -> None:
    with running(layout, FORGETFUL):
        pass
    owner = layout.postgres_dir.stat()
    with subprocess.Popen(["sleep", "600"], user=owner.st_uid if os.geteuid() == 0 else None) as stranger:
        text = content.replace("PID", str(stranger.pid)).replace("DIR", str(layout.postgres_dir))
        for path in (layout.postgres_dir / "postmaster.pid", layout.socket_dir / ".s.PGSQL.5432.lock"):
            path.write_text(text)
            os.chown(path, owner.st_uid, owner.st_gid)
        with running(layout, FORGETFUL):
            assert is_alive(stranger.pid)
        stranger.kill()


def test_a_backend_that_outlives_its_server_is_cleared_away(layout: Layout) -> None:
    process = start_postgres(layout)
    endless = threading.Thread(target=_run_for_ever, args=[layout])
    endless.start()
    with connect(layout) as database:
        busy = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'DO%' AND state = 'active'"
        until(lambda: database.execute(busy).fetchone())
        row = database.execute(busy).fetchone()
    assert row
    process.kill()
    process.wait()
    assert is_alive(int(str(row[0])))
    with running(layout, FORGETFUL):
        assert not is_alive(int(str(row[0])))
    endless.join()


def _run_for_ever(layout: Layout) -> None:
    with suppress(psycopg.OperationalError), connect(layout) as database:
        database.execute("DO $$ BEGIN LOOP END LOOP; END $$")


def test_no_committed_row_is_lost_when_the_server_is_killed(layout: Layout) -> None:
    server = Postgres(layout)
    server.prepare()
    process = spawn(server.program(), subprocess.DEVNULL)
    until(server.is_ready)
    with connect(layout) as database:
        database.execute("CREATE TABLE kept (number int)")
        for number in range(200):
            database.execute("INSERT INTO kept VALUES (%s)", [number])
        process.kill()
        process.wait()
    with running(layout), connect(layout) as database:
        assert database.execute("SELECT count(*) FROM kept").fetchone() == (200,)


def test_an_earlier_valkey_on_the_same_directory_is_ended_first(layout: Layout) -> None:
    server = Valkey(layout)
    server.prepare()
    with spawn(server.program(), subprocess.DEVNULL) as orphan:
        until(server.is_ready)
        with running(layout, FORGETFUL):
            orphan.wait()
            assert len(working_in(layout.valkey_dir, "valkey-server")) == 1
    assert orphan.returncode == -signal.SIGKILL


def test_what_valkey_was_told_survives_its_killing(layout: Layout) -> None:
    server = Valkey(layout)
    server.prepare()
    with spawn(server.program(), subprocess.DEVNULL) as process:
        until(server.is_ready)
        with valkey_of(layout) as valkey:
            valkey.rpush("io", *range(1000))
        process.kill()
    with running(layout, FORGETFUL), valkey_of(layout) as valkey:
        assert valkey.llen("io") == 1000


def test_valkey_warns_of_nothing_that_its_owner_would_have_to_mend(layout: Layout) -> None:
    with running(layout, FORGETFUL):
        pass
    hushed = Valkey(layout).program().hushed
    warnings = [line for line in layout.log_file.read_text().splitlines() if "WARNING" in line]
    assert [line for line in warnings if not any(words in line for words in hushed)] == []


def test_a_server_that_cannot_start_says_why(layout: Layout) -> None:
    with (
        pytest.raises(RuntimeError, match=r"postgres did not start:(.|\n)*no_such_setting"),
        running(layout, {"no_such_setting": "1"}),
    ):
        pass
    assert not working_in(layout.valkey_dir, "valkey-server")


@pytest.fixture(autouse=True)
def _leave_nothing(layout: Layout) -> Iterator[None]:
    yield
    kill_all([*working_in(layout.postgres_dir, "postgres"), *working_in(layout.valkey_dir, "valkey-server")])
