"""Spread: what is due at one moment is started over a while, and each always at the same place in it."""

import hashlib
from datetime import datetime, timedelta
from itertools import pairwise

from badgerjobs.lib.durations import Duration
from badgerjobs.lib.schedule import Schedule

_MILLISECOND = timedelta(milliseconds=1)
_LOOKED_AT = 50


def offset(key: str, spread: timedelta) -> timedelta:
    """Tell how much later than its time `key` starts: whole milliseconds from zero to less than `spread`.

    The same for the same key everywhere and always: Python's own hash differs from process to process.
    """
    places = -(-spread // _MILLISECOND)
    if places <= 1:
        return timedelta()
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:16])
    return number % places * _MILLISECOND


def spread_too_long(schedule: Schedule, spread: timedelta, now: datetime) -> str | None:
    """Say what is wrong when a spread would carry an occurrence past the next one; None when all is well.

    Looks at the next 50 occurrences of a schedule that is set now.
    """
    gaps = [later - earlier for earlier, later in pairwise(schedule.planned(now, _LOOKED_AT))]
    if not gaps or spread <= (shortest := min(gaps)):
        return None
    return (
        f"A spread of {_said(spread)} is longer than the shortest time between two of the next occurrences, "
        f"{_said(shortest)}: give that at most, or let it run less often."
    )


def _said(length: timedelta) -> str:
    return Duration(months=0, days=0, exact=length).length()
