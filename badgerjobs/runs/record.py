"""Writes down what ended, so that one result which the database refuses never holds up the others."""

import logging
from collections.abc import Sequence
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from badgerjobs.runs import consequences, holding, lifecycle
from badgerjobs.runs.changes import Finished
from badgerjobs.runs.outcomes import Failed
from badgerjobs.runs.settle import settle

logger = logging.getLogger(__name__)

# Classes of SQLSTATE that end by themselves: connection, deadlock, resources, locks, operator, system.
_PASSING = ("08", "40", "53", "55", "57", "58")
UNSTORABLE = Failed("protocol", "The answer holds something that cannot be stored.", retry=False)


def finish_all(batch: Sequence[Finished], *, worker: UUID) -> set[str]:
    """Record a batch, and let those go that waited for its runs to be over. Returns the queues they are in.

    Raises what may pass: the same batch may then be given again, since what is written already is left alone.
    """
    _record_all(batch, worker)
    return holding.admit({one.run.runnable_id for one in batch if one.run.runnable_id})


def _record_all(batch: Sequence[Finished], worker: UUID) -> None:
    """What is refused is halved until it stands alone; that one fails without its result, and says so."""
    try:
        _record(batch, worker)
    except Exception as error:
        if may_pass(error):
            raise
        if len(batch) > 1:
            middle = len(batch) // 2
            _record_all(batch[:middle], worker)
            _record_all(batch[middle:], worker)
            return
        logger.exception("the result of run %s cannot be stored", batch[0].run.id)
        _record([unstorable(batch[0])], worker)


def _record(batch: Sequence[Finished], worker: UUID) -> None:
    """Those of which nothing follows come first: they wait for nobody's lock."""
    eventful: list[Finished] = []
    others: list[Finished] = []
    for one in batch:
        (eventful if consequences.has_any(one) else others).append(one)
    if others:
        with transaction.atomic():
            lifecycle.finish(others, worker=worker)
    if eventful:
        with transaction.atomic():
            held = consequences.hold(consequences.of_finished(eventful))
            moved = lifecycle.finish(eventful, worker=worker)
            consequences.follow(held, consequences.of_finished(one for one in eventful if one.run.id in moved))


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
