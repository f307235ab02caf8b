"""What stands in the columns of a database, as JSON has it."""

import base64
import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

# A number of so many characters is the same as a float, whatever its digits.
EXACT = 15
# What has more digits is infinity to others, and a text here.
MOST_DIGITS = 300


def number(written: str) -> int | float | str | None:
    """A decimal number as a database writes it: as JSON where that is exactly it, else its text; null for NaN."""
    if len(written) > MOST_DIGITS:
        return written
    try:
        if "." not in written and "e" not in written and "E" not in written:
            return int(written)
    except ValueError:
        return None  # NaN, Infinity
    value = float(written)
    if len(written) <= EXACT or Decimal(repr(value)) == Decimal(written):
        return value if math.isfinite(value) else written
    return written


def moment(written: str) -> str:
    """A time as PostgreSQL writes it, by ISO 8601; as it is where that has no word for it: before Christ, infinity."""
    if written.endswith(("BC", "infinity")):
        return written
    whole = written.replace(" ", "T", 1)
    return f"{whole}:00" if whole[-3:-2] in {"+", "-"} and ":" in whole else whole


def plain(value: Any) -> Any:  # noqa: PLR0911  a line for each type
    """Whatever a driver gives. Numbers that are none become null, bytes base64, what JSON has no word for its text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return number(str(value))
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return _duration(value)
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(bytes(value)).decode()
        case Mapping():
            return {str(key): plain(inner) for key, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(inner) for inner in value]
    return str(value)


def _duration(value: timedelta) -> str:
    """By ISO 8601, in days, hours, minutes and seconds."""
    sign, left = ("-", -value) if value < timedelta() else ("", value)
    hours, rest = divmod(left.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{left.microseconds:06}".rstrip("0") if left.microseconds else ""
    found = ((left.days, "D"), (hours, "H"), (minutes, "M"))
    days, *others = [f"{amount}{unit}" if amount else "" for amount, unit in found]
    clock = "".join([*others, f"{seconds}{fraction}S" if seconds or fraction else ""])
    return f"{sign}P{days}{f'T{clock}' if clock else ''}" if days or clock else "PT0S"
