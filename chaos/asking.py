"""What people ask for meanwhile: runs, replays, pauses, other schedules, and now and then the end of a job."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from random import Random

from django.db import Error, connection

from badgerjobs.runs.models import Run, Runnable
from badgerjobs.runs.services import replay_run
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.audit import OPERATOR
from chaos.eras import Promise, Promises
from chaos.stack import until_the_database_answers
from chaos.work import every, sorted_out
from jobs.models import Job
from jobs.services import delete_job, run_job, update_job

logger = logging.getLogger(__name__)

# How often of each, beside the others.
WEIGHTS = {"run": 5, "replay": 4, "pause": 3, "change": 3, "delete": 0.3}
PACE_S = 0.4
PAUSED_S = (1.0, 7.0)


class Asker:
    """Asks in a thread of its own, since the database may let it wait; what it asked for, the promises say."""

    def __init__(self, promises: Promises, rng: Random) -> None:
        self.asked: Counter[str] = Counter()
        self._promises = promises
        self._rng = rng
        self._paused: dict[str, float] = {}  # job → when it is to go on
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._go, name="asker", daemon=True)
        self._verbs: dict[str, Callable[[Promise], None]] = {
            "run": self._run,
            "replay": self._replay,
            "pause": self._pause,
            "change": self._change,
            "delete": self._delete,
        }

    def start(self) -> None:
        self._thread.start()

    def stop(self, *, seconds: float) -> None:
        """Ask no more, and let go on what is paused. Raises TimeoutError when an answer does not come."""
        self._is_over.set()
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise TimeoutError(f"What was asked for got no answer within {seconds:.0f} s.")

    def _go(self) -> None:
        while not self._is_over.wait(self._rng.uniform(0.5, 1.5) * PACE_S):
            verb = self._rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            self._try(verb, self._rng.choice(self._known()))
            self._resume(now=time.monotonic())
        self._resume(now=float("inf"))
        connection.close()

    def _known(self) -> list[Promise]:
        # Slow ones change their minds as well; those that come once are only run.
        return list(sorted_out(self._promises, "second", "often", "minute", "by-hand", "skip", "queue-one", "flaky"))

    def _try(self, verb: str, promise: Promise) -> None:
        try:
            self._verbs[verb](promise)
            self.asked[verb] += 1
        except Error:
            connection.close()  # it is away: nobody was told that anything was done
        except (Conflict, Job.DoesNotExist, Run.DoesNotExist):
            pass
        except Exception:
            logger.exception("%s of %s", verb, promise.name)

    def _run(self, promise: Promise) -> None:
        run = run_job(job=_job(promise), by=OPERATOR, now=_now())
        self._promises.confirm(str(run.pk), promise)

    def _replay(self, promise: Promise) -> None:
        over = Run.objects.filter(runnable_id=promise.runnable_id, finished_at__isnull=False).order_by("-id")
        if run := over.exclude(state="skipped").first():
            self._promises.confirm(str(replay_run(run=run, by=OPERATOR, now=_now()).pk), promise)

    def _pause(self, promise: Promise) -> None:
        if promise.name not in self._paused:
            self._paused[promise.name] = time.monotonic() + self._rng.uniform(*PAUSED_S)
            self._switch(promise, enabled=False)

    def _switch(self, promise: Promise, *, enabled: bool) -> None:
        now = _now()
        promise.note("resumed" if enabled else "paused", now)
        update_job(job=_job(promise), by=OPERATOR, now=now, enabled=enabled)

    def _resume(self, *, now: float) -> None:
        for name in [name for name, until in self._paused.items() if until <= now]:
            promise = self._promises.by_name[name]
            with suppress(Job.DoesNotExist):
                until_the_database_answers(lambda promise=promise: self._switch(promise, enabled=True))  # type: ignore[misc]
            del self._paused[name]

    def _change(self, promise: Promise) -> None:
        """Another duration. When the answer is lost, the row is asked whether it was done."""
        was = _job(promise).runnable.run_every
        if promise.name in self._paused or not was:
            return
        shorter, longer, now = every((2, 3.9), self._rng), every((4, 6), self._rng), _now()
        wanted = longer if was == shorter else shorter
        with suppress(Error):
            update_job(job=_job(promise), by=OPERATOR, now=now, run_at=None, run_every=wanted)
        connection.close()
        runnable = until_the_database_answers(lambda: Runnable.objects.get(pk=promise.runnable_id))
        if runnable.run_every == wanted:
            promise.change(runnable.schedule, now=now, committed=_now())

    def _delete(self, promise: Promise) -> None:
        self._paused.pop(promise.name, None)
        promise.is_deleted = True  # before: what comes of it from now on is nobody's
        until_the_database_answers(lambda: delete_job(job=_job(promise), by=OPERATOR, now=_now()))


def _job(promise: Promise) -> Job:
    return Job.objects.select_related("runnable", "application").get(runnable_id=promise.runnable_id)


def _now() -> datetime:
    return datetime.now(UTC)
