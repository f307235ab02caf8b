"""A series from an anchor: its n-th moment is the anchor plus n durations, never the last one plus one."""

import calendar
from datetime import UTC, datetime, timedelta, tzinfo

from badgerjobs.lib import zones
from badgerjobs.lib.durations import Duration
from badgerjobs.lib.missed import Missed

_INSTANT = timedelta(microseconds=1)
_DAY = timedelta(days=1)


def next_after(moment: datetime, *, anchor: datetime, every: Duration, place: tzinfo) -> datetime | None:
    """Find the first of the series strictly later than `moment` (aware), in UTC; None past the calendar's end."""
    if moment < anchor:
        return anchor.astimezone(UTC)
    try:
        count = (moment - anchor) // every.average
        if not every.is_calendar:
            return anchor.astimezone(UTC) + (count + 1) * every.exact
        return _next_on_calendar(moment, count, anchor, every, place)[1]
    except (OverflowError, ValueError):
        return None


def nth(count: int, *, anchor: datetime, every: Duration, place: tzinfo) -> datetime:
    """Add `count` durations to the anchor: months, then days, on the local calendar; then the rest on the clock."""
    if count == 0:
        # Not by way of wall time: in a doubled hour the anchor may be the second of the two.
        return anchor.astimezone(UTC)
    wall = _plus_months(zones.local(anchor, place), count * every.months) + timedelta(days=count * every.days)
    return zones.shifted(wall, place) + count * every.exact


def between(after: datetime, until: datetime, *, anchor: datetime, every: Duration, place: tzinfo) -> Missed | None:
    """Find those of the series strictly later than `after` and not later than `until` (aware), without walking."""
    anchor = anchor.astimezone(UTC)
    after = max(after, anchor - _INSTANT)
    if after >= until:
        return None
    if not every.is_calendar:
        low, high = (after - anchor) // every.exact + 1, (until - anchor) // every.exact
        first, last, twins = anchor + low * every.exact, anchor + high * every.exact, 0
    else:
        low, first = _following(after, anchor, every, place)
        high = _following(until, anchor, every, place)[0] - 1
        last = nth(high, anchor=anchor, every=every, place=place)
        twins = _twins(after, until, anchor, every, place)
    return Missed(first, last, high - low + 1 - twins) if high >= low else None


def _twins(after: datetime, until: datetime, anchor: datetime, every: Duration, place: tzinfo) -> int:
    # When a zone skips a whole day, a daily series has that day's moment and the next day's in one: it comes once.
    found = 0
    for change in zones.changes(after - _DAY, until, place):
        count, moment = _following(change - _INSTANT, anchor, every, place)
        found += after < moment <= until and nth(count + 1, anchor=anchor, every=every, place=place) == moment
    return found


def _following(moment: datetime, anchor: datetime, every: Duration, place: tzinfo) -> tuple[int, datetime]:
    if moment < anchor:
        return 0, anchor
    return _next_on_calendar(moment, (moment - anchor) // every.average, anchor, every, place)


def _next_on_calendar(
    moment: datetime, guess: int, anchor: datetime, every: Duration, place: tzinfo
) -> tuple[int, datetime]:
    # Months differ in length, so the guess may be off by one or two. It is never off by more: no walk from the anchor.
    count = guess
    while count > 0 and nth(count, anchor=anchor, every=every, place=place) > moment:
        count -= 1
    while (found := nth(count, anchor=anchor, every=every, place=place)) <= moment:
        count += 1
    return count, found


def _plus_months(wall: datetime, months: int) -> datetime:
    year, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    day = min(wall.day, calendar.monthrange(year, month + 1)[1])
    return wall.replace(year=year, month=month + 1, day=day)
