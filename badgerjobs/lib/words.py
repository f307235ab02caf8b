"""Numbers and times as people read them, the same on every page and in every script (`static/js/ago.js`)."""

from datetime import UTC, datetime, tzinfo

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
# From which size on, and to what, a time to come is rounded. Seconds.
_STEPS = ((86_400, 86_400), (14_400, 3_600), (60, 60), (0, 1))


def relative(seconds: float) -> str:
    """`in 22 h`, `1 h 31 min ago`, `now`: whole units, and minutes beside few hours.

    What has passed is rounded down; what comes to the nearest: a quarter of an hour from now is never `in 14 min`.
    """
    size = abs(seconds)
    if size < 1:
        return "now"
    if seconds > 0:
        step = next(step for least, step in _STEPS if size >= least)
        size = (size + step / 2) // step * step
    unit, length = next(found for found in _UNITS if size >= found[1])
    words = f"{int(size // length)} {unit}"
    if unit == "h" and size // length < 4 and (rest := int(size % 3_600 // 60)):
        words += f" {rest} min"
    return f"in {words}" if seconds > 0 else f"{words} ago"


def duration(ms: float) -> str:
    """`38 ms`, `1.84 s`, `44 s`, `1 min 6 s`, `2 h 5 min`, `3 d 4 h`."""
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if ms < 9_995:
        return f"{ms / 1000:.2f} s"
    seconds = round(ms / 1000)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3_600:
        return _pair(seconds, 60, "min", 1, "s")
    return _pair(seconds, 3_600, "h", 60, "min") if seconds < 86_400 else _pair(seconds, 86_400, "d", 3_600, "h")


def length(seconds: float) -> str:
    """`3 s`, `15 min`: what was chosen in whole seconds is not told more finely than that."""
    return f"{seconds:.0f} s" if seconds < 60 and seconds == int(seconds) else duration(seconds * 1000)


def _pair(size: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    rest = size % large // small
    return f"{size // large} {large_unit}" + (f" {rest} {small_unit}" if rest else "")


def size(count: int) -> str:
    """`171 bytes`, `64.0 KB`, `1.2 MB`: thousands, as in the limits."""
    if count < 1_000:
        return counted(count, "byte")
    return f"{count / 1_000:,.1f} KB" if count < 1_000_000 else f"{count / 1_000_000:,.1f} MB"


def counted(count: int, what: str) -> str:
    """`1 run`, `1,200 runs`."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def percent(value: float) -> str:
    """`99.75`, and `100` for all there are: rounded down, so that one failure among many is not lost."""
    return "100" if value >= 100 else f"{int(value * 100) / 100:.2f}"


def place(zone: tzinfo) -> str:
    """The city of a zone: `America/New_York` is New York."""
    name = getattr(zone, "key", None) or str(zone)
    return name.rpartition("/")[2].replace("_", " ")


def exact(moment: datetime, zone: tzinfo, reader: tzinfo) -> str:
    """`Fri 30 Oct, 08:00:00 New York · 13:00:00 Zurich`: in its own zone and the reader's, UTC where both are one."""
    second = reader if place(reader) != place(zone) else UTC
    first = f"{day(moment, zone)}, {clock(moment, zone)} {place(zone)}"
    return first if place(second) == place(zone) else f"{first} · {clock(moment, second)} {place(second)}"


def day(moment: datetime, zone: tzinfo) -> str:
    """`Fri 30 Oct`, with the year where it is not this one's neighbourhood: never guessed, so always without."""
    local = moment.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b}"


def clock(moment: datetime, zone: tzinfo) -> str:
    """`08:00`, and `08:00:05` where there are seconds."""
    local = moment.astimezone(zone)
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def masked(email: str) -> str:
    """`b…b@example.com`: enough to know one's own address again, and too little to learn somebody else's."""
    name, _, host = email.rpartition("@")
    return f"{name[0]}…{name[-1] if len(name) > 2 else ''}@{host}"


def soon(moment: datetime, zone: tzinfo, reader: tzinfo, now: datetime) -> str:
    """`14:35 Zurich · 13:35 UTC`: as short as a list has it: no seconds, and the day where it is not today."""
    second = reader if place(reader) != place(zone) else UTC
    first = f"{_near(moment, zone, now)}{moment.astimezone(zone):%H:%M} {place(zone)}"
    same = place(second) == place(zone)
    return first if same else f"{first} · {moment.astimezone(second):%H:%M} {place(second)}"


def _near(moment: datetime, zone: tzinfo, now: datetime) -> str:
    local = moment.astimezone(zone)
    days = abs((local.date() - now.astimezone(zone).date()).days)
    if days == 0:
        return ""
    return f"{local:%a} " if days < 7 else f"{day(moment, zone)} "


def stamp(moment: datetime, reader: tzinfo) -> str:
    """`30 Oct 2026, 14:00:05 Zurich · 13:00:05 UTC`: what stays true when it is read years later."""
    local, utc = moment.astimezone(reader), moment.astimezone(UTC)
    said = f"{local.day} {local:%b %Y, %H:%M:%S} {place(reader)}"
    if place(reader) == place(UTC):
        return said
    other_day = f"{utc.day} {utc:%b} " if utc.date() != local.date() else ""
    return f"{said} · {other_day}{utc:%H:%M:%S} UTC"
