"""Stores what was fetched: first in the books, and after their commit where readers look first."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.record import UNSTORABLE, may_pass
from tasks.cache import copies
from tasks.models import SyncState
from tasks.syncs import books
from tasks.syncs.tries import PutOff, Tried

logger = logging.getLogger(__name__)


def store(run: Claimed, batch: Sequence[Tried | PutOff]) -> None:
    """Write down what came of a batch of keys. What the database refuses is halved until it stands alone, and fails.

    Raises what may pass: the same batch may then be given again, since what is written already is left alone. So all
    copies are forgotten, also of those keys that do not seem to have moved.
    """
    _write(run, batch)
    copies.forget(run.application_id, [one.due.name for one in batch if isinstance(one, Tried)])


def _write(run: Claimed, batch: Sequence[Tried | PutOff]) -> None:
    try:
        books.write(run, batch)
    except Exception as error:
        if may_pass(error):
            raise
        if len(batch) > 1:
            middle = len(batch) // 2
            _write(run, batch[:middle])
            _write(run, batch[middle:])
            return
        [one] = batch
        if isinstance(one, PutOff) or one.error_class == UNSTORABLE.error_class:
            raise
        logger.exception("what was fetched for key %d cannot be stored", one.due.key_id)
        books.write(run, [_unstorable(one)])


def _unstorable(tried: Tried) -> Tried:
    return replace(
        tried,
        state=SyncState.FAILED,
        body=None,
        bytes=None,
        etag="",
        error_class=UNSTORABLE.error_class,
        error=UNSTORABLE.error,
    )
