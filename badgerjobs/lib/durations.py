"""ISO 8601 durations, kept in two halves: what a calendar measures (years to days) and what a clock does."""

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

SHORTEST = timedelta(seconds=1)
LONGEST = timedelta(days=3653)
_MILLISECOND = timedelta(milliseconds=1)

_FORM = re.compile(
    r"P(?:(?P<years>\d{1,9})Y)?(?:(?P<months>\d{1,9})M)?(?:(?P<weeks>\d{1,9})W)?(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,9}(?:[.,]\d{1,6})?)H)?(?:(?P<minutes>\d{1,9}(?:[.,]\d{1,6})?)M)?"
    r"(?:(?P<seconds>\d{1,9}(?:[.,]\d{1,6})?)S)?)?",
    re.ASCII,
)
_PIECE = re.compile(r"(\d+)([YMWDHS])", re.ASCII)
_SPOKEN = re.compile(r"(\d+)\s*(s|m|h|d|w|y|mo)[a-z]*", re.ASCII)
_SPOKEN_UNITS = {"s": "PT{}S", "m": "PT{}M", "h": "PT{}H", "d": "P{}D", "w": "P{}W", "mo": "P{}M", "y": "P{}Y"}


class BadDurationError(ValueError):
    """A text is no duration we can repeat by. The message says why, and what would be right."""


@dataclass(frozen=True, slots=True)
class Duration:
    """Months and days are counted on a calendar, in local time; `exact` on a clock. Any of them may be zero."""

    months: int
    days: int
    exact: timedelta

    @property
    def is_calendar(self) -> bool:
        return bool(self.months or self.days)

    @property
    def average(self) -> timedelta:
        """Its length, a month being the mean one of the Gregorian calendar: 30.436875 days."""
        return timedelta(days=self.days + self.months * 30.436875) + self.exact

    @property
    def milliseconds(self) -> int | None:
        """Its length on the clock; None when it is counted on the calendar, or in less than whole milliseconds."""
        whole, rest = divmod(self.exact, _MILLISECOND)
        return None if self.is_calendar or rest else whole

    def words(self) -> str:
        """Say it as it follows "every": `minute`, `15 minutes`, `1 day and 12 hours`."""
        amounts = [(amount, unit) for amount, unit in self._amounts() if amount]
        return amounts[0][1] if len(amounts) == 1 and amounts[0][0] == 1 else self.length()

    def length(self) -> str:
        """Say how long it is: `1 minute`, `15 minutes`, `1 day and 12 hours`."""
        amounts = [(amount, unit) for amount, unit in self._amounts() if amount]
        said = [f"{amount:g} {unit}{'' if amount == 1 else 's'}" for amount, unit in amounts]
        return " and ".join([", ".join(said[:-1]), said[-1]] if said[:-1] else said)

    def _amounts(self) -> list[tuple[float, str]]:
        years, months = divmod(self.months, 12)
        weeks, days = divmod(self.days, 7) if self.days % 7 == 0 else (0, self.days)
        hours, rest = divmod(self.exact, timedelta(hours=1))
        minutes, rest = divmod(rest, timedelta(minutes=1))
        units = ("year", "month", "week", "day", "hour", "minute", "second")
        return list(zip((years, months, weeks, days, hours, minutes, rest.total_seconds()), units, strict=True))


@lru_cache(maxsize=4096)
def parse(text: str) -> Duration:
    """Read `P1M`, `P1DT12H`, `PT1.5H`: from one second to ten years. Raises BadDurationError."""
    match = _FORM.fullmatch(text)
    if not match or not any(match.groups()):
        raise BadDurationError(_advice(text))
    amount = {name: value or "0" for name, value in match.groupdict().items()}
    duration = Duration(
        months=int(amount["years"]) * 12 + int(amount["months"]),
        days=int(amount["weeks"]) * 7 + int(amount["days"]),
        exact=_exact(amount["hours"], 3600) + _exact(amount["minutes"], 60) + _exact(amount["seconds"], 1),
    )
    if duration.months > 120 or duration.days > LONGEST.days or duration.average > LONGEST:
        raise BadDurationError(f"{text} is too long: ten years (P10Y) is the most.")
    if duration.average < SHORTEST:
        raise BadDurationError(f"{text} is too short: one second (PT1S) is the least.")
    return duration


def of_milliseconds(ms: int) -> str:
    """Write milliseconds, a second to ten years of them, as `PT1.5S`, `PT15M`, `PT25H30M`. Raises BadDurationError."""
    least, most = SHORTEST // _MILLISECOND, LONGEST // _MILLISECOND
    if ms < least:
        raise BadDurationError(f"That is too short: one second ({least} ms) is the least.")
    if ms > most:
        raise BadDurationError(f"That is too long: ten years ({most} ms) is the most.")
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 1000}.{rest % 1000:03}".rstrip("0").rstrip(".")
    amounts = ((str(hours), "H"), (str(minutes), "M"), (seconds, "S"))
    return "PT" + "".join(amount + unit for amount, unit in amounts if amount != "0")


def _exact(amount: str, unit_s: int) -> timedelta:
    # Whole microseconds: a float would let a series drift.
    whole, _, fraction = amount.replace(",", ".").partition(".")
    return timedelta(seconds=int(whole) * unit_s, microseconds=int(fraction.ljust(6, "0")) * unit_s)


def _advice(text: str) -> str:
    if text.startswith(("-", "P-", "PT-")):
        return f"{text[:40]} is negative: a repeat needs a positive duration, like PT15M."
    if suggestion := _suggestion(text):
        return f"{text[:40]} is not an ISO 8601 duration: did you mean {suggestion}?"
    return (
        f"{text[:40]!r} is not an ISO 8601 duration: write it like PT15M (15 minutes), PT1H, P1D, P1W or P1M (1 month)."
    )


def _suggestion(text: str) -> str | None:
    if len(text) > 80:  # nobody's slip of the pen, and _PIECE takes the square of a row of digits
        return None
    if spoken := _SPOKEN.fullmatch(text.strip().lower()):
        unit = "mo" if spoken[0].endswith(("month", "months")) else spoken[2]
        return _SPOKEN_UNITS[unit].format(spoken[1])
    tidy = re.sub(r"\s+", "", text).upper()
    pieces = _PIECE.findall(tidy)
    if not pieces or _PIECE.sub("", tidy) not in {"", "P", "T", "PT", "TP"}:
        return None
    on_clock = any(unit in "HS" for _, unit in pieces)
    clock = {"H", "S", "M"} if on_clock else {"H", "S"}
    date = "".join(number + unit for number, unit in pieces if unit not in clock)
    time = "".join(number + unit for number, unit in pieces if unit in clock)
    suggestion = f"P{date}" + (f"T{time}" if time else "")
    return suggestion if _FORM.fullmatch(suggestion) else None
