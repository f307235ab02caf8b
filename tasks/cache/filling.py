"""A reader asks for a value to be fetched, and waits for a first one. A worker fetches it, never the reader."""

import logging
import time
from collections.abc import Collection

from django.conf import settings
from django.db import OperationalError

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.seats import Seats
from tasks.cache import rows
from tasks.cache.freshness import Stored
from tasks.cache.refusals import BeingFetchedError, NoKeyError, SourceFailsError
from tasks.syncs import asking

logger = logging.getLogger(__name__)

# Seconds that a reader waits for a first value, and between two looks at its row.
WAITS_S = 10.0
LOOKS_EVERY_S = 0.1
# A process asks for the same key once in so many seconds, however many read it; the database then decides.
ASKED_AGAIN_S = 1.0
MOST_REMEMBERED = 10_000


_seats = Seats(settings.WEB_THREADS // 4)

# Key → until when it need not be asked for.
_asked: dict[int, float] = {}


def ask_for(key_ids: Collection[int]) -> None:
    """Have these keys fetched, by whoever gets to it. Readers are served, whether or not that could be asked."""
    now = time.monotonic()
    wanted = [key_id for key_id in key_ids if _asked.get(key_id, 0.0) <= now]
    if not wanted:
        return
    if len(_asked) + len(wanted) > MOST_REMEMBERED:
        _asked.clear()
    _asked.update(dict.fromkeys(wanted, now + ASKED_AGAIN_S))
    try:
        asking.ask(wanted, database_now())  # not this host's: another's may be an hour away
    except OperationalError as error:
        logger.warning("nothing can be asked for now: %s", error)


def first_value(application_id: int, name: str, key_id: int) -> Stored:
    """Wait until a key has its first value. Raises SourceFailsError, BeingFetchedError, or NoKeyError: it is gone."""
    ask_for([key_id])
    if not _seats.take(application_id):
        raise BeingFetchedError
    try:
        return _waited(application_id, name, time.monotonic() + WAITS_S)
    finally:
        _seats.give_back(application_id)


def _waited(application_id: int, name: str, deadline: float) -> Stored:
    while time.monotonic() < deadline:
        value = rows.stored(application_id, [name]).get(name)
        if value is None:
            raise NoKeyError(name)
        if value.body is not None:
            return value
        if has_failed(value):
            raise SourceFailsError(value.error)
        time.sleep(LOOKS_EVERY_S)
    raise BeingFetchedError


def has_failed(value: Stored) -> bool:
    """Whether the last try failed, and none has been asked for since."""
    return value.failed_at is not None and (value.asked_at is None or value.failed_at >= value.asked_at)
