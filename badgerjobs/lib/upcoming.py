"""The next times of a schedule as people read them: in order, and with a word where clocks are changed in between."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from badgerjobs.lib import words, zones

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A planned time, what happens to the clocks between the one before it and this one, and what of it is odd."""

    moment: datetime
    shifts: tuple[str, ...] = ()
    note: str = ""


def upcoming(times: Sequence[datetime], *places: tzinfo) -> list[Upcoming]:
    """Say of each time whether the clocks of these places are changed before it. `times` are aware and in order.

    The first of the places is where they are computed: there a time may not exist, or come twice.
    """
    before = [None, *times][: len(times)]
    return [
        Upcoming(
            moment, _shifts(last, moment, places) if last else (), _note(moment, times, places[0]) if places else ""
        )
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


def _note(moment: datetime, times: Sequence[datetime], place: tzinfo) -> str:
    """`02:30 does not exist that night`, where the others run at 02:30; `01:30 comes twice that night: …`."""
    local = moment.astimezone(place)
    first, second = (local.replace(fold=fold).utcoffset() or timedelta() for fold in (0, 1))
    if first > second:
        return f"{words.clock(moment, place)} comes twice that night: this is the {'second' if local.fold else 'first'}"
    for wall in sorted({zones.local(other, place).time() for other in times}):
        meant = datetime.combine(local.date(), wall)
        placed = zones.shifted(meant, place)
        if zones.local(placed, place) != meant and moment in {placed, zones.resumed(meant, place)}:
            return f"{wall:%H:%M} does not exist that night"
    return ""
