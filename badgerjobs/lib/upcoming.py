"""The next times of a schedule as people read them: in order, and with a word where clocks are changed in between."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from badgerjobs.lib import words, zones

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A planned time, and what happens to the clocks between the one before it and this one."""

    moment: datetime
    shifts: tuple[str, ...] = ()


def upcoming(times: Sequence[datetime], *places: tzinfo) -> list[Upcoming]:
    """Say of each time whether the clocks of these places are changed before it. `times` are aware and in order."""
    before = [None, *times][: len(times)]
    return [
        Upcoming(moment, _shifts(last, moment, places) if last else ())
        for last, moment in zip(before, times, strict=True)
    ]


def _shifts(after: datetime, until: datetime, places: Sequence[tzinfo]) -> tuple[str, ...]:
    said = [_said(change, place) for place in places if (change := zones.next_change(after, until, place))]
    return tuple(dict.fromkeys(said))


def _said(change: datetime, place: tzinfo) -> str:
    """`Clocks go back in New York, Sun 1 Nov 02:00`: the time that the clock on the wall shows before it is turned."""
    forward = zones.offset(change, place) > zones.offset(change - _SECOND, place)
    wall = (zones.local(change - _SECOND, place) + _SECOND).replace(tzinfo=place)
    when = f"{words.day(wall, place)} {words.clock(wall, place)}"
    return f"Clocks go {'forward' if forward else 'back'} in {words.place(place)}, {when}"
