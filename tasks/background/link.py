"""How an iteration reaches the outside: the database, in a thread and by a connection of its own.

So what is written at once is there at once, though the code be in the middle of a transaction; and code that is a
coroutine, which Django lets ask nothing, may ask all the same.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Event
from typing import Any, TypeVar
from uuid import UUID

from django.db import Error, connection, transaction

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs.processes.beside import Beside
from badgerjobs.runs.processes.lines import SAY, line_of
from badgerjobs.runs.processes.pipe import Work
from tasks.background import reading, services
from tasks.background.following import PARENT_ABORTED
from tasks.background.log_room import USED, LogRoom

logger = logging.getLogger(__name__)

T = TypeVar("T")

_STATE = "SELECT state FROM runs_run WHERE id = %s FOR SHARE"
_IS_OURS = "SELECT EXISTS (SELECT FROM runs_run WHERE id = %s AND state = 'running' AND worker = %s)"

_SAY_ELSE = "UPDATE runs_logline SET message = %s WHERE id = %s"

_PROGRESS = """
UPDATE tasks_backgroundrun b SET progress = %s, progress_message = %s, saved_at = clock_timestamp()
FROM runs_run r WHERE r.id = b.run_id AND r.id = %s AND r.worker = %s
"""


class DatabaseLink:
    """What `Params` asks and says, for one iteration. `stopped` is set when the worker takes the work back."""

    def __init__(self, work: Work, beside: Beside, stopped: Event, *, application: Any, keeps_info: bool) -> None:
        self._work, self._beside, self._stopped = work, beside, stopped
        self._application, self._keeps_info = application, keeps_info
        self._places = 0
        self._room = LogRoom(self._used)
        self._last_line: UUID | None = None

    def is_aborted(self) -> bool:
        """Whether the run is not ours any more. While the database is away nobody has aborted it yet."""
        if self._stopped.is_set():
            return True
        try:
            return not self._beside.ask(lambda: _first(_IS_OURS, [self._work.run_id, self._work.worker]))
        except Error:
            logger.warning("it cannot be asked whether the run is aborted", exc_info=True)
            return False

    def log(self, level: str, message: str, data: Any) -> None:
        """Write a line at once. For the first that there is no room for, it is written that more are dropped."""
        if level == "info" and not self._keeps_info:
            return
        written = None if data is None else json.dumps(data)
        if self._room.takes(len(message.encode()) + len(written or "")):
            self._say(uuid7(), level, message, written)
        elif self._last_line is None:
            last = uuid7()
            self._say(last, "warning", self._room.full, None)
            self._last_line = last

    def end_log(self) -> None:
        """Say how many lines were dropped, where some were. Never raises: the iteration is over."""
        if self._last_line is None:
            return
        try:
            self._write(_SAY_ELSE, [self._room.full_at_the_end, self._last_line])
        except Error:
            logger.warning("it cannot be said how many lines of a log were dropped", exc_info=True)

    def _say(self, id: UUID, level: str, message: str, written: str | None) -> None:  # noqa: A002  it is called so
        self._write(SAY, line_of(self._work, id, level, message, written, worker=self._worker))

    def _used(self) -> tuple[int, int]:
        lines, size = self._beside.insist(lambda: _row(USED, [self._work.run_id]), until=self._stopped)
        return lines, size

    def progress(self, fraction: float | None, message: str) -> None:
        """Say at once how far it is."""
        self._write(_PROGRESS, [fraction, message, self._work.run_id, self._worker])

    def trigger(self, definition: str, input: Any, *, name: str, delay: float) -> Any:  # noqa: A002
        """Begin a child. Within a transaction of the code's, it is there if that is committed."""
        self._places += 1
        work, place, now = self._work, self._places, self.now()

        def trigger() -> Any:
            # A transaction of the code's may last: who aborts the run must not wait for its end.
            may_last = connection.in_atomic_block
            child = services.trigger(
                self._application,
                definition,
                input,
                name=name,
                delay=delay,
                parent=work.run_id,
                parent_iteration=work.iteration,
                parent_place=place,
                holds_parent=not may_last,
                now=now,
            )
            if may_last:
                transaction.on_commit(lambda: self._abort_late(child.id), robust=True)
            return child

        return self._by_code(trigger)

    def _abort_late(self, child: UUID) -> None:
        """End a child that came to be when this run was aborted already. Waits for who aborts it at this moment."""
        with transaction.atomic():
            if _first(_STATE, [self._work.run_id]) == "aborted":
                services.abort_tasks(application=self._application, ids=[child], message=PARENT_ABORTED)

    def children(self, definition: str | None) -> Sequence[Any]:
        """Its children, oldest first, as many as are read at once."""
        return self._by_code(lambda: reading.children(self._application, self._work.run_id, definition))

    def now(self) -> datetime:
        """The database's clock."""
        return self._beside.now()

    def ends_at(self) -> datetime:
        """When the worker ends the iteration that begins now."""
        return self.now() + timedelta(seconds=self._work.timeout_s)

    @property
    def _worker(self) -> UUID | None:
        """Who has the run, as far as we know: nobody whom we work for, once it was taken back."""
        return None if self._stopped.is_set() else self._work.worker

    def _by_code(self, statement: Callable[[], T]) -> T:
        """In the thread and the transaction of the code; beside it where Django forbids that: in a coroutine."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return statement()
        return self._beside.ask(statement)

    def _write(self, statement: str, values: list[Any]) -> None:
        self._beside.insist(lambda: _execute(statement, values), until=self._stopped)


def _execute(statement: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _first(statement: str, values: list[Any]) -> Any:
    return _row(statement, values)[0]


def _row(statement: str, values: list[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()
