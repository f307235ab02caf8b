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
from celery.signals import beat_init
from django.db import DatabaseError, connection
from django_celery_beat.schedulers import DatabaseScheduler

from badgerjobs.lib.time_limits import within
from badgerjobs.runs import dispatch, holding
from badgerjobs.runs.beat_pulse import BeatPulse
from badgerjobs.runs.listener import Listener
from badgerjobs.runs.watch import Watch
from badgerjobs.runs.worker import ring, send

logger = logging.getLogger(__name__)

LONGEST_SLEEP_S = dispatch.HORIZON.total_seconds()
# Ticks closer together than this cost more than they gain: measured in docs/adr/0002.
SHORTEST_SLEEP_S = 0.01
LEAD_RENEWED_S = 5.0
LEAD_LASTS = "15 seconds"
# How long the database may take for all of a tick, or for all that is done beside it. Then it is asked anew.
ANSWER_S = 10.0
# A tick that failed may have been more than the database can do in that time: so much less is tried next.
SMALLER, SMALLEST = 10, 10
# For saying good-bye: whoever ends a beat waits for it.
LAST_WORDS_S = 2


_LEAD = f"""
INSERT INTO runs_leader (role, holder, expires_at) VALUES ('system ticks', %(me)s, now() + interval '{LEAD_LASTS}')
ON CONFLICT (role) DO UPDATE SET holder = %(me)s, expires_at = excluded.expires_at
WHERE runs_leader.holder = %(me)s OR runs_leader.expires_at < now()
RETURNING holder
"""  # noqa: S608


_LEAD_ENDS = "SELECT extract(epoch FROM expires_at - now())::float8 FROM runs_leader WHERE role = 'system ticks'"


def lead(me: UUID) -> tuple[bool, float]:
    """Take or keep the lead. A beat that stops renewing it, stopped or stalled, loses it by itself.

    Returns whether it is ours, and in how many seconds to ask again: to renew it, or when another's may end.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LEAD, {"me": me})
        if cursor.fetchone():
            return True, LEAD_RENEWED_S
        cursor.execute(_LEAD_ENDS)
        (ends_in,) = cursor.fetchone() or (0.0,)
        return False, min(LEAD_RENEWED_S, max(ends_in, SHORTEST_SLEEP_S))


class Scheduler(DatabaseScheduler):  # type: ignore[misc]
    """Each tick: dispatch what is due, now and then the system's ticks, then sleep until the next is due."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.me = uuid4()
        self.leading = False
        self._listener = Listener()
        # A thread of its own: no schedule waits for a broker that does not answer.
        self._bell = ThreadPoolExecutor(1, thread_name_prefix="bell")
        self._pulse = BeatPulse(self.me)
        self._batch = dispatch.BATCH
        self._lead_ends = self._system_due = self._swept = 0.0
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
        """Leave, and give the lead up, so that another beat takes it at once.

        Celery calls this from the handler of SIGTERM, which may have interrupted a statement: hence the new connection.
        What its parent would write, when each tick was last sent, is worth no risk.
        """
        self._pulse.end()
        params = connection.get_connection_params() | {"connect_timeout": LAST_WORDS_S}
        with suppress(Exception), within(LAST_WORDS_S), connection.get_new_connection(params) as fresh:
            fresh.execute("DELETE FROM runs_beat WHERE id = %s", [self.me])
            fresh.execute("DELETE FROM runs_leader WHERE holder = %s", [self.me])

    def tick(self, *_: Any, **__: Any) -> float:
        """One turn. Nothing may leave it but the order to end: Celery's beat dies of any exception."""
        try:
            return self._turn()
        except Exception as error:
            level = logging.WARNING if isinstance(error, (DatabaseError, psycopg.Error)) else logging.ERROR
            logger.log(level, "tick failed, trying again in 1 s", exc_info=error)
            self._batch = max(SMALLEST, self._batch // SMALLER)
            with suppress(Exception):
                connection.close()
            return 1.0

    def _turn(self) -> float:
        with within(ANSWER_S):
            done = dispatch.tick(self._batch)
        self._batch = min(dispatch.BATCH, self._batch * 2)
        self._pulse.turn()
        for queue in done.queued:
            self._bell.submit(ring, queue)
        with within(ANSWER_S):
            self._sweep()
            self._send_system_ticks()
        if done.more:
            return 0.0
        until = (done.next_due - done.now).total_seconds() if done.next_due else LONGEST_SLEEP_S
        self._sleep(until)
        return 0.0

    def _sweep(self) -> None:
        if time.monotonic() - self._swept >= LONGEST_SLEEP_S:
            self._swept = time.monotonic()
            for queue in holding.sweep():
                self._bell.submit(ring, queue)

    def _sleep(self, until: float) -> None:
        # The pause is not waited for on the listener: a stream of notifications must not make a stream of ticks.
        time.sleep(SHORTEST_SLEEP_S)
        if until > SHORTEST_SLEEP_S:
            self._listener.wait(min(until, LONGEST_SLEEP_S) - SHORTEST_SLEEP_S)

    def _send_system_ticks(self) -> None:
        now = time.monotonic()
        if now >= self._lead_ends:
            leading, seconds = lead(self.me)
            self._lead_ends = now + seconds
            self._take_or_lose_lead(leading)
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


@beat_init.connect
def begin_watching(**_: Any) -> None:
    """Look now and then whether work is late: with all workers gone, nobody else does."""
    Watch().start()
