"""Everything on one machine, in the order in which it needs each other."""

import io
import os
import sys

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from badgerjobs.embedded import address
from badgerjobs.embedded.postgres import Postgres
from badgerjobs.embedded.processes import Program
from badgerjobs.embedded.supervisor import Supervisor
from badgerjobs.embedded.valkey import Valkey

# Every process of ours carries it, with the data directory as its value: what outlives us is recognised by it.
MARK = "BADGERJOBS_STARTED_FOR"

# A server that recovers from a power cut reads its log again first.
SERVER_S, READY_S = 120, 60


def bring_up(supervisor: Supervisor) -> None:
    """Start everything and say when it is ready. Raises Stopped, TimeoutError, DataDirectoryError, RuntimeError.

    What the demo tells is told whatever happens: it is made once, and nobody else knows its password and its token.
    """
    start_servers(supervisor)
    migrate(supervisor)
    demo = make_demo() if settings.DEMO else ""
    workers = [f"worker-{number}" for number in range(1, settings.WORKERS + 1)]
    url = address.url_of(settings.HOST, settings.PORT)
    heading = f"not ready: {url}\n"
    try:
        supervisor.start(*(command(name) for name in ("beat", *workers, "web")))
        supervisor.wait_until(
            lambda: address.is_well(settings.HOST, settings.PORT, _own_name()), what=f"{url}/healthz", seconds=READY_S
        )
        heading = f"ready: {url}\n"
    finally:
        supervisor.log.write(f"{heading}{demo}")


def start_servers(supervisor: Supervisor) -> None:
    """Start the servers that are not given, each when the one before it answers."""
    servers: list[Postgres | Valkey] = []
    if not settings.DATABASE_URL:
        servers.append(Postgres(settings.LAYOUT))
    if settings.LAYOUT.redis_url == settings.REDIS_URL:
        servers.append(Valkey(settings.LAYOUT))
    for server in servers:
        server.prepare()
        program = server.program()
        supervisor.start(program)
        supervisor.wait_until(server.is_ready, what=program.name, seconds=SERVER_S)


def migrate(supervisor: Supervisor) -> None:
    """Bring the tables up to date. Whether they are is asked here: it is ten times faster than to start a process."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    connection.close()
    if not plan:
        return
    supervisor.log.say(f"migrating the database: {len(plan)} steps", "up")
    if supervisor.run(command("migrate", "--verbosity=0", "--no-input")):
        raise RuntimeError("The database could not be migrated: the lines above say why.")


def make_demo() -> str:
    """Make what a first visitor looks at, and return what it wants to tell them; nothing on later starts."""
    told = io.StringIO()
    try:
        call_command("create_demo", stdout=told)
    except CommandError as error:
        told.write(f"There is no demo: {error}\n")
    finally:
        connection.close()
    return told.getvalue()


def command(name: str, *arguments: str) -> Program:
    """Describe one of manage.py's commands as a program; `worker-2` runs `worker`."""
    return Program(
        name=name,
        command=[sys.executable, str(settings.BASE_DIR / "manage.py"), name.partition("-")[0], *arguments],
        environment={MARK: os.fspath(settings.DATA_DIR), "PYTHONUNBUFFERED": "1"},
    )


def _own_name() -> str:
    """Choose a name under which the web process lets itself be called."""
    names = [name.lstrip(".") for name in settings.ALLOWED_HOSTS if name != "*"]
    return names[0] if names else "localhost"
