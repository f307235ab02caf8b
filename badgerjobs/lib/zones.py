"""Time zones by name, and where local time meets UTC: the missing hour, the doubled hour, the moment of a change."""

import difflib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

EST = timezone(timedelta(hours=-5), "EST")

# What some systems keep beside the zones: this machine's own, and a marker for "not set".
_NOT_ZONES = {"localtime", "Factory", "posixrules"}

# No zone has changed its clocks twice in less: Brazil's north, in 2000, and Gaza keep to a week, less the hour.
_LULL = timedelta(days=5)


class UnknownZoneError(ValueError):
    """No such zone in the IANA database. The message names the nearest."""


@lru_cache(maxsize=1024)
def zone(name: str) -> tzinfo:
    """Give the zone of an IANA name, like `Europe/Zurich`. Raises UnknownZoneError."""
    if name == "UTC":
        return UTC
    if name not in _names():
        raise UnknownZoneError(_advice(name))
    return ZoneInfo(name)


def names() -> list[str]:
    """List every name that `zone` takes, in the order of the alphabet."""
    return sorted(_names() | {"UTC"})


@lru_cache(maxsize=64)
def preset_zone(name: str) -> tzinfo:
    """Give the zone that presets are told in: `EST` is UTC-5 all year, anything else an IANA name."""
    return EST if name == "EST" else zone(name)


def offset(moment: datetime, place: tzinfo) -> timedelta:
    """Tell how far the clocks of a place are ahead of UTC at a moment."""
    ahead = moment.astimezone(place).utcoffset()
    return ahead or timedelta()


def local(moment: datetime, place: tzinfo) -> datetime:
    """Read the clock on the wall at a moment: a naive datetime."""
    return moment.astimezone(place).replace(tzinfo=None, fold=0)


def shifted(wall: datetime, place: tzinfo) -> datetime:
    """Place a wall time. Doubled: the first of the two. Missing: later by what the clocks were put forward."""
    return wall.replace(tzinfo=place).astimezone(UTC)


def resumed(wall: datetime, place: tzinfo) -> datetime:
    """Place a wall time. Doubled: the first of the two. Missing: the first moment after the gap."""
    moment = shifted(wall, place)
    gap = local(moment, place) - wall
    return next_change(moment - gap, moment, place) or moment if gap else moment


def next_change(after: datetime, until: datetime, place: tzinfo) -> datetime | None:
    """Find the moment within (after, until] at which clocks are changed, to the second; there may be one at most."""
    # Clocks are changed at whole seconds: from the one that has begun it is counted, or the parts of a second would be
    # told as the change's own.
    after, until = after.replace(microsecond=0), until.replace(microsecond=0)
    before = offset(after, place)
    if offset(until, place) == before:
        return None
    low, high = 0, int((until - after) / timedelta(seconds=1))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(after + timedelta(seconds=middle), place) == before else (low, middle)
    return after + timedelta(seconds=high)


def changes(after: datetime, until: datetime, place: tzinfo) -> Iterator[datetime]:
    """List the moments within (after, until] at which clocks are changed, in order."""
    if isinstance(place, timezone):
        return  # UTC or EST
    while after < until:
        near = min(after + _LULL, until)
        if change := next_change(after, near, place):
            yield change
        after = near


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(available_timezones() - _NOT_ZONES)


def _advice(name: str) -> str:
    known = {known.rpartition("/")[2].lower(): known for known in sorted(_names(), reverse=True)}
    known |= {known.lower(): known for known in _names()}
    near = difflib.get_close_matches(name[:80].strip().lower().replace(" ", "_"), known, n=1, cutoff=0.75)
    if near:
        return f"{name[:40]!r} is not a time zone: did you mean {known[near[0]]}?"
    return f"{name[:40]!r} is not a time zone: give a name of the IANA database, like Europe/Zurich, or UTC."
