"""Beat: a Celery beat scheduler that turns due into queued, any number of which may run.

Customers' schedules are rows (`Runnable.next_run_at`), dispatched by every beat. The system's own ticks are
django-celery-beat's PeriodicTasks, sent by whichever beat holds the lead.
"""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import psycopg
from django.db import DatabaseError, connection
from django_celery_beat.schedulers import DatabaseScheduler

from badgerjobs.runs import dispatch
from badgerjobs.runs.worker import ring, send

logger = logging.getLogger(__name__)

LONGEST_SLEEP_S = dispatch.HORIZON.total_seconds()
# Ticks closer together than this cost more than they gain: measured in docs/adr/0002.
SHORTEST_SLEEP_S = 0.01
LEAD_RENEWED_S = 5.0
LEAD_LASTS = "15 seconds"


class Listener:
    """A connection kept for LISTEN alone: other statements on it would swallow notifications."""

    def __init__(self) -> None:
        self._connection: psycopg.Connection[Any] | None = None

    def wait(self, seconds: float) -> None:
        """Return when something is due sooner than was known, or after so many seconds."""
        if self._connection is None:
            self._connection = connection.get_new_connection(connection.get_connection_params())
            self._connection.autocommit = True
            self._connection.execute(f"LISTEN {dispatch.CHANNEL}")
        for _ in self._connection.notifies(timeout=seconds, stop_after=1):
            pass

    def close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None


_LEAD = f"""
INSERT INTO runs_leader (role, holder, expires_at) VALUES ('system ticks', %(me)s, now() + interval '{LEAD_LASTS}')
ON CONFLICT (role) DO UPDATE SET holder = %(me)s, expires_at = excluded.expires_at
WHERE runs_leader.holder = %(me)s OR runs_leader.expires_at < now()
RETURNING holder
"""  # noqa: S608


def lead(me: UUID) -> bool:
    """Take or keep the lead. A beat that stops renewing it, stopped or stalled, loses it by itself."""
    with connection.cursor() as cursor:
        cursor.execute(_LEAD, {"me": me})
        return cursor.fetchone() is not None


class Scheduler(DatabaseScheduler):  # type: ignore[misc]
    """Each tick: dispatch what is due, now and then the system's ticks, then sleep until the next is due."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.me = uuid4()
        self.leading = False
        self._listener = Listener()
        # A thread of its own: no schedule waits for a broker that does not answer.
        self._bell = ThreadPoolExecutor(1, thread_name_prefix="bell")
        self._lead_ends = self._system_due = 0.0
        super().__init__(*args, **kwargs)

    @property
    def producer(self) -> None:
        """None: each message takes a connection from the pool. Celery's own would wait for a broker that is away."""

    def apply_entry(self, entry: Any, producer: Any = None) -> None:  # noqa: ARG002  Celery's signature
        """Send one of the system's ticks, like a ring: by the thread that may wait."""
        self._bell.submit(send, entry.task, **entry.options)

    def setup_schedule(self) -> None:
        """Nothing yet: the system's ticks are written by the beat that takes the lead, and the database may be away."""

    def close(self) -> None:
        """Give the lead up, so that another beat takes it at once.

        Celery calls this from the handler of SIGTERM, which may have interrupted a statement: hence the new connection.
        What its parent would write, when each tick was last sent, is worth no risk.
        """
        if not self.leading:
            return
        with suppress(Exception), connection.get_new_connection(connection.get_connection_params()) as fresh:
            fresh.execute("DELETE FROM runs_leader WHERE holder = %s", [self.me])

    def tick(self, *_: Any, **__: Any) -> float:
        """One turn. Nothing may leave it but the order to end: Celery's beat dies of any exception."""
        try:
            return self._turn()
        except Exception as error:
            level = logging.WARNING if isinstance(error, (DatabaseError, psycopg.Error)) else logging.ERROR
            logger.log(level, "tick failed, trying again in 1 s", exc_info=error)
            self._listener.close()
            with suppress(Exception):
                connection.close()
            return 1.0

    def _turn(self) -> float:
        done = dispatch.tick()
        for queue in done.queued:
            self._bell.submit(ring, queue)
        self._send_system_ticks()
        if done.more:
            return 0.0
        until = (done.next_due - done.now).total_seconds() if done.next_due else LONGEST_SLEEP_S
        self._sleep(until)
        return 0.0

    def _sleep(self, until: float) -> None:
        # The pause is not waited for on the listener: a stream of notifications must not make a stream of ticks.
        time.sleep(SHORTEST_SLEEP_S)
        if until > SHORTEST_SLEEP_S:
            self._listener.wait(min(until, LONGEST_SLEEP_S) - SHORTEST_SLEEP_S)

    def _send_system_ticks(self) -> None:
        now = time.monotonic()
        if now >= self._lead_ends:
            self._lead_ends = now + LEAD_RENEWED_S
            self._take_or_lose_lead(lead(self.me))
        if self.leading and now >= self._system_due:
            # Celery's tick sends one task a call, and says 0 while there are more.
            while (delay := super().tick()) == 0:
                pass
            self._system_due = time.monotonic() + min(delay, LEAD_RENEWED_S)

    def _take_or_lose_lead(self, leading: bool) -> None:
        if leading and not self.leading:
            logger.info("this beat sends the system's ticks")
            super().setup_schedule()
            self._initial_read, self._heap, self._system_due = True, None, 0.0
        self.leading = leading
