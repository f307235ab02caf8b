"""When something runs: the one place that turns a schedule's fields into moments. docs/time.md shows every rule."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Unpack

from badgerjobs.lib import cron as crons
from badgerjobs.lib import cron_spans, durations, intervals, presets, zones
from badgerjobs.lib.missed import Missed
from badgerjobs.lib.schedule_fields import ScheduleError, ScheduleFields, check, tidied

__all__ = ["Missed", "Schedule", "ScheduleError"]

# A client that says "now" has a clock of its own, and its request takes a while.
GRACE = timedelta(minutes=1)
_INSTANT = timedelta(microseconds=1)
_FIELDS = {
    durations.BadDurationError: "run_every",
    crons.BadCronError: "cron",
    zones.UnknownZoneError: "time_zone",
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """Once (`run_at`), every ISO 8601 duration from an anchor, by cron, by preset; or, with none of them, by hand only.

    `parse` checks; the constructor does not, and is for fields that were checked when they were stored. All moments
    are aware; those that come out are in UTC. Calendar durations and cron are computed in `time_zone`, presets in
    `preset_time_zone`. `anchor` is where the series of `run_every` counts from when `run_at` is not given. Nothing
    comes later than `end_at`. Stored fields that do not hold any more (a zone that a newer tzdata
    dropped) raise ScheduleError.
    """

    run_at: datetime | None = None
    run_every: str | None = None
    cron: str | None = None
    time_zone: str = "UTC"
    preset: str | None = None
    anchor: datetime | None = None
    preset_time_zone: str = "EST"
    end_at: datetime | None = None

    @classmethod
    def parse(cls, *, now: datetime, **fields: Unpack[ScheduleFields]) -> "Schedule":
        """Make a schedule of what somebody typed; blank texts count as not given. Raises ScheduleError, all at once."""
        tidy = tidied(fields)
        if errors := check(tidy, now):
            raise ScheduleError(errors)
        schedule = cls(**tidy)
        if schedule.end_at and schedule.first(schedule.anchor or now) is None:
            raise ScheduleError({"end_at": "Nothing would run before that end: give a later one, or a sooner start."})
        return schedule

    @property
    def is_recurring(self) -> bool:
        return bool(self.run_every or self.cron or self.preset)

    @property
    def is_by_hand(self) -> bool:
        """Whether nothing is ever planned."""
        return not self.is_recurring and self.run_at is None

    @property
    def start(self) -> datetime | None:
        """Where a series counts from, in UTC: `run_at`, else the anchor."""
        start = self.run_at or self.anchor
        return _in_utc(start) if start else None

    def anchored(self, now: datetime) -> "Schedule":
        """Give the same with its anchor set: to `run_at`, or the one it has, or now. The caller stores it."""
        return replace(self, anchor=self.start or _in_utc(now))

    def first(self, now: datetime) -> datetime | None:
        """Find the first occurrence of a schedule that is set now; None: by hand only.

        Once: `run_at`, also when it is past (it is due at once). Recurring: the first one not before now and not
        before `run_at`; a series whose `run_at` is at most a minute past starts with that.
        """
        if not self.is_recurring:
            return self._unless_over(self.start) if self.run_at else None
        start = self.start or _in_utc(now)
        if self.run_every and start >= now - GRACE:
            return self._unless_over(start)
        return self.anchored(now).next_after(_in_utc(now) - _INSTANT)

    def next_after(self, moment: datetime) -> datetime | None:
        """Find the first occurrence strictly later than `moment` (aware), in UTC; None when there is no more."""
        moment = _in_utc(moment)
        try:
            found = self._next_after(moment)
        except tuple(_FIELDS) as error:
            raise ScheduleError({_FIELDS[type(error)]: str(error)}) from None
        return self._unless_over(found)

    def missed(self, after: datetime, until: datetime) -> Missed | None:
        """Find the occurrences strictly later than `after` and not later than `until` (aware); None: there are none.

        What `next_after` would find one by one, but counted: ten years of a minute's cron in milliseconds.
        """
        after, until = _in_utc(after), _in_utc(until)
        if self.end_at:
            until = min(until, _in_utc(self.end_at))
        try:
            return self._missed(after, until)
        except tuple(_FIELDS) as error:
            raise ScheduleError({_FIELDS[type(error)]: str(error)}) from None

    def upcoming(self, after: datetime, count: int) -> list[datetime]:
        """List the next `count` occurrences strictly later than `after`, or fewer when there are no more."""
        found: list[datetime] = []
        schedule = self.anchored(after)
        while len(found) < count and (moment := schedule.next_after(found[-1] if found else after)):
            found.append(moment)
        return found

    def planned(self, now: datetime, count: int) -> list[datetime]:
        """List what a schedule that is set now will do: its first occurrence, and those after it; `count` at most."""
        first = self.first(now)
        return [first, *self.anchored(now).upcoming(first, count - 1)] if first and count > 0 else []

    def words(self) -> str:
        """Say it in English: `every 15 minutes, starting 2026-11-21 08:00 UTC`, `At 08:00 on Monday, Europe/Zurich`.

        Never raises: stored fields that do not hold any more are said too.
        """
        try:
            return self._words()
        except tuple(_FIELDS) as error:
            return f"not planned: {error}"

    def _words(self) -> str:
        if self.run_every:
            start = f", starting {self._said(self.start)}" if self.start else ""
            return f"every {durations.parse(self.run_every).words()}{start}" + self._said_until()
        if self.cron:
            return f"{crons.parse(self.cron).words()}, {self.time_zone}" + self._said_from() + self._said_until()
        if self.preset:
            return presets.words(self.preset, self.preset_time_zone) + self._said_from() + self._said_until()
        return f"once, at {self._said(self.run_at)}" if self.run_at else "by hand only"

    def _next_after(self, moment: datetime) -> datetime | None:
        if self.run_every:
            anchor, every = self._series(self.run_every)
            return intervals.next_after(moment, anchor=anchor, every=every, place=self._place())
        if by_cron := self._by_cron():
            expression, place = by_cron
            return crons.next_after(expression, self._not_before_start(moment), place)
        return self.start if self.run_at and self.run_at > moment else None

    def _missed(self, after: datetime, until: datetime) -> Missed | None:
        if self.run_every:
            anchor, every = self._series(self.run_every)
            return intervals.between(after, until, anchor=anchor, every=every, place=self._place())
        if by_cron := self._by_cron():
            expression, place = by_cron
            return cron_spans.between(expression, self._not_before_start(after), until, place)
        once = self._next_after(after)
        return Missed(once, once, 1) if once and once <= until else None

    def _series(self, run_every: str) -> tuple[datetime, durations.Duration]:
        if self.start is None:
            raise ValueError("A series needs run_at or an anchor: see anchored().")
        return self.start, durations.parse(run_every)

    def _by_cron(self) -> tuple[str, tzinfo] | None:
        if self.cron:
            return self.cron, self._place()
        if self.preset:
            return presets.PRESETS[self.preset].cron, zones.preset_zone(self.preset_time_zone)
        return None

    def _unless_over(self, moment: datetime | None) -> datetime | None:
        return None if moment and self.end_at and moment > _in_utc(self.end_at) else moment

    def _not_before_start(self, moment: datetime) -> datetime:
        return max(moment, _in_utc(self.run_at) - _INSTANT) if self.run_at else moment

    def _place(self) -> tzinfo:
        return zones.zone(self.time_zone)

    def _said(self, moment: datetime) -> str:
        local = zones.local(moment, self._place())
        return f"{local:%Y-%m-%d %H:%M:%S}".removesuffix(":00") + f" {self.time_zone}"

    def _said_from(self) -> str:
        return f", from {self._said(self.run_at)}" if self.run_at else ""

    def _said_until(self) -> str:
        return f", until {self._said(self.end_at)}" if self.end_at else ""


def _in_utc(moment: datetime) -> datetime:
    # Python compares two moments of one zone by their wall time, which is wrong in a doubled hour: all is done in UTC.
    if moment.tzinfo is None:
        raise ValueError("A moment without a time zone is no moment.")
    return moment.astimezone(UTC)
