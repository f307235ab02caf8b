"""Behind a pooler that gives a connection for each transaction: nothing of a session holds, and all works the same."""

import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from badgerjobs.embedded.postgres import DATABASE, PORT, USER
from badgerjobs.embedded.processes import Program, server_account, spawn
from tests.e2e.books import finished, plant
from tests.e2e.receiver import Receiver
from tests.e2e.stack import Stack, free_port

PGBOUNCER = shutil.which("pgbouncer") or ""
pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not PGBOUNCER, reason="there is no pgbouncer")]

# So few connections to the database that statements of one process go over many.
CONFIGURATION = """
[databases]
{database} = host={socket} port={server_port} dbname={database} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 6
max_client_conn = 200
"""


@pytest.fixture
def pooler(stack: Stack) -> Iterator[int]:
    """The port of one."""
    port, account = free_port(), server_account(stack.layout.data_dir)
    folder = Path(tempfile.mkdtemp(prefix="badgerjobs-pooler-"))
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        CONFIGURATION.format(
            database=DATABASE, socket=stack.layout.socket_dir, server_port=PORT, user=USER, port=port,
            password=stack.layout.secret("postgres_password"),
        )
        + (f"user = {account.name}\n" if account else "")
    )  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = spawn(Program(name="pooler", command=[PGBOUNCER, str(configuration)], folder=Path("/")), log)
    try:
        stack.until(lambda: answers(port), "the pooler answers")
        yield port
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        shutil.rmtree(folder)


def answers(port: int) -> bool:
    try:
        with psycopg.connect(host="127.0.0.1", port=port, user=USER, dbname=DATABASE, connect_timeout=2) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def through(stack: Stack, port: int, *, direct: bool) -> dict[str, str]:
    """The environment of a process that comes through the pooler."""
    layout = stack.layout
    socket = str(layout.socket_dir).replace("/", "%2F")
    past = f"postgres://{USER}:{layout.secret('postgres_password')}@{socket}:{PORT}/{DATABASE}"
    return {
        "DATABASE_URL": f"postgres://{USER}@127.0.0.1:{port}/{DATABASE}" + ("" if direct else "?pooled=1"),
        "DATABASE_DIRECT_URL": past if direct else "",
        "REDIS_URL": layout.redis_url,
        "SECRET_KEY": layout.secret("secret_key"),
        "ENCRYPTION_KEYS": layout.secret("encryption_keys"),
    }


@pytest.mark.parametrize("direct", [False, True], ids=["polling", "listening past it"])
def test_two_beats_and_two_workers_do_every_occurrence_once(
    stack: Stack, receiver: Receiver, pooler: int, direct: bool
) -> None:
    jobs, rounds = 50, 3
    stack.start("beat-1", "beat-2", "worker-1", "worker-2", **through(stack, pooler, direct=direct))
    listening = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%'"
    stack.until(lambda: stack.sql(listening) == [(2 if direct else 0,)], "beats that listen past it")

    plant(stack, jobs, run_every="PT1S", overlap="allow", catch_up="all")
    stack.until(lambda: len(receiver.calls) >= jobs * (rounds + 1), f"{rounds} rounds")
    stack.sql("UPDATE runs_runnable SET enabled = false, next_run_at = NULL")
    stack.until(lambda: stack.sql("SELECT count(*) FROM runs_run WHERE finished_at IS NULL") == [(0,)], "the end")

    runs = stack.sql("SELECT id::text, state, attempts FROM runs_run")
    assert {tuple(rest) for _, *rest in runs} == {("succeeded", 1)}
    assert Counter(call.id for call in receiver.calls) == Counter(run_id for run_id, *_ in runs)

    due = datetime.now(UTC)
    stack.create_job("at-once", verb="POST", run_at=due.isoformat())
    stack.until(lambda: finished(stack) == len(runs) + 1, "what is due at once")
    assert receiver.calls[-1].at - due.timestamp() < 3
    assert stack.end("worker-1") < 10
    assert stack.end("beat-1") < 10
    assert stack.sql("SELECT count(*) FROM runs_beat") == [(1,)]


def test_the_other_commands_work_through_it_too(stack: Stack, pooler: int) -> None:
    before, stack.environment = stack.environment, stack.environment | through(stack, pooler, direct=False)
    try:
        stack.manage("migrate", "--verbosity=0", "--no-input")
        stack.manage("check", "--database", "default")
        assert stack.manage("create_application", "pooled", "--workspace", "tests").startswith("bj_")
    except subprocess.CalledProcessError:
        pytest.fail(stack.said())
    finally:
        stack.environment = before
