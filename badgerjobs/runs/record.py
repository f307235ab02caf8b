"""Writes down what ended, so that one result which the database refuses never holds up the others."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from badgerjobs.lib.time_limits import within
from badgerjobs.runs import consequences, holding, lifecycle
from badgerjobs.runs.changes import Finished, PutOff
from badgerjobs.runs.models import Runnable, State
from badgerjobs.runs.outcomes import Failed
from badgerjobs.runs.settle import settle

logger = logging.getLogger(__name__)

# Classes of SQLSTATE that end by themselves: connection, deadlock, resources, locks, operator, system.
_PASSING = ("08", "40", "53", "55", "57", "58")
WRITE_S = 30.0  # what writing results down may take; nothing waits for it
UNSTORABLE = Failed("protocol", "The answer holds something that cannot be stored.", retry=False)


@dataclass(frozen=True, slots=True)
class Recorded:
    """`queues` are those in which others may go now. `left` is to be given again: its runnables are locked.

    `goes_on`: one of these may be taken again at once, for its next iteration.
    """

    queues: set[str]
    left: list[Finished]
    goes_on: bool = False


@within(WRITE_S)
def write_down(batch: Sequence[Finished | PutOff], *, worker: UUID) -> Recorded:
    """Write down what ended, and hand back what was put off."""
    if put_off := [one for one in batch if isinstance(one, PutOff)]:
        lifecycle.postpone(put_off, worker=worker)
    finished = [one for one in batch if isinstance(one, Finished)]
    return finish_all(finished, worker=worker) if finished else Recorded(set(), [])


def finish_all(batch: Sequence[Finished], *, worker: UUID) -> Recorded:
    """Record a batch, and let those go that waited for its runs to be over. Nobody's lock on a runnable is waited for.

    Raises what may pass: the same batch may then be given again, since what is written already is left alone.
    """
    left = _record_all(batch, worker)
    admitted = holding.admit({one.run.runnable_id for one in batch if one.run.runnable_id})
    return Recorded(admitted, left, any(one.state == State.QUEUED for one in batch))


def _record_all(batch: Sequence[Finished], worker: UUID) -> list[Finished]:
    """What is refused is halved until it stands alone; that one fails without its result, and says so.

    Returns what is left.
    """
    try:
        return _record(batch, worker)
    except Exception as error:
        if may_pass(error):
            raise
        if len(batch) > 1:
            middle = len(batch) // 2
            return _record_all(batch[:middle], worker) + _record_all(batch[middle:], worker)
        logger.exception("the result of run %s cannot be stored", batch[0].run.id)
        return _record([unstorable(batch[0])], worker)


def _record(batch: Sequence[Finished], worker: UUID) -> list[Finished]:
    """Those of which nothing follows come first. Returns those of which something does, that cannot be written now."""
    eventful: list[Finished] = []
    others: list[Finished] = []
    for one in batch:
        (eventful if consequences.has_any(one) else others).append(one)
    if others:
        with transaction.atomic():
            lifecycle.finish(others, worker=worker)
    if not eventful:
        return []
    with transaction.atomic():
        endings = consequences.of_finished(eventful)
        held = consequences.hold(endings, waits=False)
        locked = _locked(endings.keys() - held.keys())
        now = [one for one in eventful if one.run.runnable_id not in locked]
        moved = lifecycle.finish(now, worker=worker) if now else set()
        consequences.follow(held, consequences.of_finished(one for one in now if one.run.id in moved))
    return [one for one in eventful if one.run.runnable_id in locked]


def _locked(missing: Collection[int]) -> set[int]:
    """Those of these that are there: somebody else has them locked. The others were deleted."""
    return set(Runnable.objects.filter(pk__in=missing).values_list("pk", flat=True)) if missing else set()


def unstorable(finished: Finished) -> Finished:
    """The same attempt, failed for good, without what could not be stored."""
    return settle(finished.run, UNSTORABLE, started_at=finished.started_at, ended_at=finished.ended_at)


def may_pass(error: Exception) -> bool:
    """Whether it is the server's or the connection's trouble of the moment, and not a fault of what is written."""
    if isinstance(error, InterfaceError):
        return True
    # A connection that breaks has no SQLSTATE. What is too big or too deep to store is operational too, and has one.
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return sqlstate.startswith(_PASSING) if sqlstate else isinstance(error, OperationalError)
