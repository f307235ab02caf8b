"""How often a cron expression comes in a span, without walking: by the days of the calendar, cut where clocks change.

Between two changes of clocks the wall and UTC go together, so that the matching times on the wall are counted and no
moment is looked for. It must agree with `Cron.next_after` in every case; the tests walk beside it.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise

from badgerjobs.lib import zones
from badgerjobs.lib.cron import Cron, parse
from badgerjobs.lib.missed import Missed

_INSTANT = timedelta(microseconds=1)


def between(expression: str, after: datetime, until: datetime, place: tzinfo) -> Missed | None:
    """Find the occurrences strictly later than `after` and not later than `until`, both aware. Raises BadCronError."""
    cron = parse(expression)
    first = cron.next_after(after, place)
    if first is None or first > until:
        return None
    last, count = first, 1
    cuts = [first + _INSTANT, *zones.changes(first, until, place), until.astimezone(UTC) + _INSTANT]
    for start, end in pairwise(cuts):
        if cron.is_fixed and _resumes(cron, start, place):
            last, count = start, count + 1
        ahead = zones.offset(start, place)
        low, high = _unseen(cron, start, place), _wall(end, ahead)
        if found := _count(cron, low, high):
            last, count = (cron.wall_before(high) - ahead).replace(tzinfo=UTC), count + found
    return Missed(first, last, count)


def _resumes(cron: Cron, start: datetime, place: tzinfo) -> bool:
    # Clocks were put forward: all fixed times in the gap, and the one at its end, are one occurrence, now.
    before, ahead = _offsets(start, place)
    return ahead > before and _count(cron, _wall(start, before), _wall(start, ahead) + _INSTANT) > 0


def _unseen(cron: Cron, start: datetime, place: tzinfo) -> datetime:
    """The time on the wall from which on occurrences count."""
    before, ahead = _offsets(start, place)
    if not cron.is_fixed or before == ahead:
        return _wall(start, ahead)
    # What resumed is counted; and what the wall shows for the second time ran in its first pass.
    return _wall(start, ahead) + _INSTANT if ahead > before else _wall(start, before)


def _offsets(start: datetime, place: tzinfo) -> tuple[timedelta, timedelta]:
    return zones.offset(start - _INSTANT, place), zones.offset(start, place)


def _wall(moment: datetime, ahead: timedelta) -> datetime:
    return moment.replace(tzinfo=None) + ahead


def _count(cron: Cron, low: datetime, high: datetime) -> int:
    """Count the matching times on the wall from `low` on and before `high`, both naive."""
    if low >= high:
        return 0
    days = sum(cron.has_day(date.fromordinal(number)) for number in range(low.toordinal(), high.toordinal()))
    return days * cron.times_a_day - _count_of_day(cron, low) + _count_of_day(cron, high)


def _count_of_day(cron: Cron, wall: datetime) -> int:
    return cron.times_before(wall) if cron.has_day(wall.date()) else 0
