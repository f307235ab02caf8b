"""Cron by Debian's rules. cronsim reads the expression and counts on a plain calendar; changes of clocks are ours.

cronsim can follow a zone too, but steps by hours there: where clocks change by half an hour (Lord Howe) it skips one.
"""

import copy
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from cronsim import CronSim, CronSimError

from badgerjobs.lib import zones

_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - wall time
_MINUTE = timedelta(minutes=1)
_NEAR = timedelta(days=2)
_NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_RIGHT = {
    "minute": "0-59, *, a list, a range or a step",
    "hour": "0-23, *, a list, a range or a step",
    "day-of-month": "1-31, L, LW, *, a list, a range or a step",
    "month": "1-12, JAN-DEC, *, a list, a range or a step",
    "day-of-week": "0-7, SUN-SAT, 1#2, 5L, *, a list, a range or a step",
}


class BadCronError(ValueError):
    """A text is no cron expression that ever comes. The message says why, and what would be right."""


class Cron:
    """Five fields: minute, hour, day of month, month, day of week, with names, `L`, `LW`, `2#1` and `5L`."""

    def __init__(self, expression: str) -> None:
        self.expression = " ".join(expression.split())
        self._template = _compile(self.expression)
        minute, hour, *_ = self.expression.split()
        # Debian's distinction. Fixed times run once a day whatever the clocks do; the others follow the clock.
        self.is_fixed = not minute.startswith("*") and not hour.startswith("*")
        if self._wall_from(_EPOCH) is None:
            raise BadCronError(f"{self.expression[:80]} never comes.")

    def next_after(self, moment: datetime, place: tzinfo) -> datetime | None:
        """Find the first occurrence strictly later than `moment` (aware), in UTC; None past the calendar's end."""
        moment = moment.astimezone(UTC).replace(second=0, microsecond=0)
        try:
            return self._next_fixed(moment, place) if self.is_fixed else self._next_running(moment, place)
        except OverflowError:
            return None

    def words(self) -> str:
        """Say it in English, like `At 08:00 on Monday`."""
        return str(self._template.explain())

    @property
    def times_a_day(self) -> int:
        """How many times on the wall match, on a day that does."""
        return len(self._template.hours) * len(self._template.minutes)

    def has_day(self, day: date) -> bool:
        """Whether the fields of the date match."""
        return day.month in self._template.months and self._template.match_day(day)

    def times_before(self, wall: datetime) -> int:
        """How many times of a day that matches come before the time of `wall` (naive)."""
        begun = wall.hour * 60 + wall.minute + bool(wall.second or wall.microsecond)
        hour, minute = divmod(begun, 60)
        hours, minutes = self._template.hours, self._template.minutes
        in_this_hour = sum(one < minute for one in minutes) if hour in hours else 0
        return sum(one < hour for one in hours) * len(minutes) + in_this_hour

    def wall_before(self, wall: datetime) -> datetime:
        """Find the last time on the wall before `wall` (naive) that matches. Raises StopIteration: none in 50 years."""
        walk = copy.copy(self._template)
        walk.dt, walk.tick_direction = wall.replace(microsecond=0) + timedelta(seconds=bool(wall.microsecond)), -1
        return next(walk)

    def _next_fixed(self, moment: datetime, place: tzinfo) -> datetime | None:
        wall = self._wall_from(zones.local(moment, place) + _MINUTE)
        # In a doubled hour, what has run in its first pass still lies ahead on the wall.
        while wall and (found := zones.resumed(wall, place)) <= moment:
            wall = self._wall_from(wall + _MINUTE)
        return found if wall else None

    def _next_running(self, moment: datetime, place: tzinfo) -> datetime | None:
        start = moment + _MINUTE
        while wall := self._wall_from(zones.local(start, place)):
            found = wall - zones.offset(start, place)
            found = found.replace(tzinfo=UTC)
            change = zones.next_change(start, min(found, start + _NEAR), place)
            if change and change <= found:
                # The wall was turned before it showed that time: read it again from there.
                start = change
            elif found - start <= _NEAR:
                return found
            else:
                start = zones.shifted(wall - _NEAR / 2, place)
        return None

    def _wall_from(self, wall: datetime) -> datetime | None:
        # A copy, because the parsed expression is half the cost and cronsim keeps its position in the same object.
        walk = copy.copy(self._template)
        walk.dt = wall - timedelta(seconds=1)
        return next(walk, None)


@lru_cache(maxsize=4096)
def parse(expression: str) -> Cron:
    """Read an expression. Raises BadCronError."""
    return Cron(expression)


def next_after(expression: str, moment: datetime, place: tzinfo) -> datetime | None:
    """Do as `Cron.next_after`, remembered by the minute, because many rows share an expression. Raises BadCronError."""
    return _remembered(expression, moment.astimezone(UTC).replace(second=0, microsecond=0), place)


@lru_cache(maxsize=16_384)
def _remembered(expression: str, minute: datetime, place: tzinfo) -> datetime | None:
    return parse(expression).next_after(minute, place)


def _compile(expression: str) -> CronSim:
    fields = expression.split()
    if nickname := _NICKNAMES.get(expression.lower()):
        raise BadCronError(f"{expression} is not understood: write {nickname}.")
    if len(fields) == 6:
        raise BadCronError(
            "Six fields: cron in seconds is not offered. For less than a minute use run_every, like PT30S."
        )
    if len(fields) != 5:
        raise BadCronError("It needs five fields: minute, hour, day of month, month, day of week, like 0 8 * * 1-5.")
    try:
        return CronSim(expression, _EPOCH)
    except (CronSimError, AssertionError, ValueError) as error:
        minute, hour, day, month, weekday = fields
        # Each is right without the other, so what is wrong is the pair: 30 February.
        if _is_understood(minute, hour, "*", month, weekday) and _is_understood(minute, hour, day, "*", weekday):
            raise BadCronError(f"{expression[:80]} never comes: that month has no such day.") from None
        field = str(error).removeprefix("Bad ")
        raise BadCronError(f"{expression[:80]}: the {field} must be {_RIGHT.get(field, 'a number')}.") from None


def _is_understood(*fields: str) -> bool:
    try:
        CronSim(" ".join(fields), _EPOCH)
    except (CronSimError, AssertionError, ValueError):
        return False
    return True
