"""Real processes that run the code of `in_a_process`, against the tests' database."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection

from badgerjobs.runs.models import Cause, Queue, Run, State
from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.pool import Pool, Work
from badgerjobs.workspaces.models import Application
from tasks.models import BackgroundRun
from tests.factories import NOW
from tests.waiting import until

WORKER = uuid4()


def environment() -> dict[str, str]:
    """What a process is told that must find the tests' database, and this code."""
    database = connection.settings_dict
    person = f"{database['USER']}:{quote(database['PASSWORD'], safe='')}"
    return {
        "DATABASE_URL": f"postgres://{person}@{quote(database['HOST'], safe='')}:{database['PORT']}/{database['NAME']}",
        "REDIS_URL": settings.REDIS_URL,
        "SECRET_KEY": settings.SECRET_KEY,
        "ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS),
        "BACKGROUND_TASKS": "tests.tasks.background.in_a_process",
    }


def running(application: Application, definition: str = "countOn", **fields: Any) -> UUID:
    """A run that WORKER has in hand; returns its id."""
    given = {"state": State.RUNNING, "worker": WORKER, "cause": Cause.CODE, "due_at": NOW, "created_at": NOW, **fields}
    run = Run.objects.create(application=application, kind="background", queue=Queue.COMPUTE, **given)
    BackgroundRun.objects.create(
        run_id=run.pk, application=application, definition=definition, name="One", created_at=NOW, saved_at=NOW
    )
    return run.pk


class Line:
    """A pool on a loop of its own that goes on from test to test: starting a process takes a second."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._runner.get_loop()
        self.pool: Pool = self.run(self._made())

    async def _made(self) -> Pool:
        return Pool(2, grace_s=0.5)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Wait for it."""
        return self._runner.run(coroutine)

    def work(self, application: Application, definition: str, **fields: Any) -> Work:
        """An iteration of a run that is there."""
        run_id = fields.pop("run_id", None) or running(application, definition)
        given: dict[str, Any] = {
            "name": "One",
            "input": {},
            "output": None,
            "iteration": 1,
            "attempt": 1,
            "timeout_s": 30.0,
        }
        return Work(run_id, application.pk, definition, **{**given, "worker": WORKER, **fields})

    def came(self, application: Application, definition: str, **fields: Any) -> Came:
        """What comes of it."""
        came: Came = self.run(self.pool.iterate(self.work(application, definition, **fields)))
        return came

    def pid(self, application: Application) -> int:
        """Which process is next."""
        came = self.came(application, "sayPid")
        assert came.word == "done", came
        return int(came.output["pid"])

    def aborted(self, work: Work, when: Callable[[], object], seen: Callable[[], object]) -> None:
        """Take a work back as soon as something is so, and wait until something else is."""

        async def go() -> None:
            task = asyncio.create_task(self.pool.iterate(work))
            await asyncio.to_thread(when)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
            await asyncio.to_thread(seen)

        self.run(go())

    def close_idle(self) -> None:
        """End the processes, so that all they printed has come."""
        self.run(self.pool.__aexit__(None, None, None))

    def close(self) -> None:
        """End the processes."""
        self.run(self.pool.__aexit__(None, None, None))
        self._runner.close()
        until(_is_left_alone)


def _is_left_alone() -> bool:
    """Whether the server has seen that the processes are gone: nobody else may be there when the database is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return bool(cursor.fetchone()[0] <= 1)
