"""A series from an anchor: its n-th moment is the anchor plus n durations, never the last one plus one."""

import calendar
from datetime import UTC, datetime, timedelta, tzinfo

from badgerjobs.lib import zones
from badgerjobs.lib.durations import Duration


def next_after(moment: datetime, *, anchor: datetime, every: Duration, place: tzinfo) -> datetime | None:
    """Find the first of the series strictly later than `moment` (aware), in UTC; None past the calendar's end."""
    if moment < anchor:
        return anchor.astimezone(UTC)
    try:
        count = (moment - anchor) // every.average
        if not every.is_calendar:
            return anchor.astimezone(UTC) + (count + 1) * every.exact
        return _next_on_calendar(moment, count, anchor, every, place)
    except (OverflowError, ValueError):
        return None


def nth(count: int, *, anchor: datetime, every: Duration, place: tzinfo) -> datetime:
    """Add `count` durations to the anchor: months, then days, on the local calendar; then the rest on the clock."""
    if count == 0:
        # Not by way of wall time: in a doubled hour the anchor may be the second of the two.
        return anchor.astimezone(UTC)
    wall = _plus_months(zones.local(anchor, place), count * every.months) + timedelta(days=count * every.days)
    return zones.shifted(wall, place) + count * every.exact


def _next_on_calendar(moment: datetime, guess: int, anchor: datetime, every: Duration, place: tzinfo) -> datetime:
    # Months differ in length, so the guess may be off by one or two. It is never off by more: no walk from the anchor.
    count = guess
    while count > 0 and nth(count, anchor=anchor, every=every, place=place) > moment:
        count -= 1
    while (found := nth(count, anchor=anchor, every=every, place=place)) <= moment:
        count += 1
    return found


def _plus_months(wall: datetime, months: int) -> datetime:
    year, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    day = min(wall.day, calendar.monthrange(year, month + 1)[1])
    return wall.replace(year=year, month=month + 1, day=day)
