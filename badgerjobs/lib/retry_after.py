"""How long an endpoint wants to be left alone, as its `Retry-After` says: seconds, or a date."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# More than anybody waits, and little enough to be added to any moment.
MOST_S = 10**9


def asked_wait(headers: Iterable[tuple[str, str]], *, now: datetime) -> timedelta | None:
    """Give the longest wait that the headers of an answer ask for; None for none, for the past and for what is neither.

    A date is read against the answer's own `Date`, and against `now` where it has none: clocks may differ.
    """
    named = [(name.lower(), value.strip()) for name, value in headers]
    there = next((moment for name, value in named if name == "date" and (moment := _moment(value))), now)
    waits = [_wait(value, there) for name, value in named if name == "retry-after"]
    return max((wait for wait in waits if wait), default=None)


def _wait(value: str, there: datetime) -> timedelta | None:
    if value.isascii() and value.isdecimal():
        digits = value.lstrip("0") or "0"
        return timedelta(seconds=int(digits) if len(digits) < len(str(MOST_S)) else MOST_S)
    moment = _moment(value)
    return moment - there if moment and moment > there else None


def _moment(value: str) -> datetime | None:
    """A date in any of the three forms that HTTP has had."""
    try:
        moment = parsedate_to_datetime(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
