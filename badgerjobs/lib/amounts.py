"""How often, as people say it: a number and a unit, told as the ISO 8601 duration that means the same."""

import re
from decimal import Decimal

from badgerjobs.lib import durations

UNITS = {
    "seconds": "PT{}S", "minutes": "PT{}M", "hours": "PT{}H", "days": "P{}D", "weeks": "P{}W", "months": "P{}M",
}  # fmt: skip
# Written as seconds, and so read back as seconds.
MILLISECONDS = "milliseconds"
# What is a length and no rhythm is counted on the clock alone.
LENGTHS_S = {"seconds": 1, "minutes": 60, "hours": 3600}
# Hours of what is counted on a calendar, where it has a fixed number of them.
_HOURS = {"days": 24, "weeks": 7 * 24}
_NUMBER = re.compile(r"[0-9]+([.,][0-9]+)?")
_PLACES = 6


class BadAmountError(ValueError):
    """A number and a unit that nothing repeats by. The message says what would be right, in the same words."""


def iso(number: str, unit: str) -> str:
    """`15`, `minutes` → `PT15M`; `1500`, `milliseconds` → `PT1.5S`. Raises BadAmountError; KeyError for no unit."""
    if not _NUMBER.fullmatch(number) or not number.strip("0.,"):
        raise BadAmountError("Say how often: a number, like 15.")
    amount = Decimal(number.replace(",", "."))
    if unit == MILLISECONDS:
        return _of_milliseconds(amount, f"{number} {unit}")
    form = UNITS[unit]
    if not form.startswith("PT") and amount % 1:
        raise BadAmountError(_whole(amount, unit))
    if amount > durations.LONGEST.total_seconds():  # more digits than a duration is written with
        raise BadAmountError("That is too long: ten years is the most.")
    if -int(amount.as_tuple().exponent) > _PLACES:
        raise BadAmountError(f"Give at most {_PLACES} digits after the point.")
    return _spoken(form.format(number), f"{number} {unit}")


def seconds(number: str, unit: str) -> int:
    """`1.5`, `minutes` → 90: a length, in whole seconds; 0 is one. Raises BadAmountError; KeyError for no unit."""
    if not _NUMBER.fullmatch(number):
        is_below = number.startswith("-") and _NUMBER.fullmatch(number[1:])
        raise BadAmountError(f"Give {'0 or more' if is_below else 'a number, like 5'}; or leave it empty.")
    length = Decimal(number.replace(",", ".")) * LENGTHS_S[unit]
    if length > int(durations.LONGEST.total_seconds()):
        raise BadAmountError("That is too long: ten years is the most.")
    if length % 1:
        raise BadAmountError(f"Give a whole number of seconds instead of {number} {unit}.")
    return int(length)


def in_words_of(length_s: int) -> tuple[str, str]:
    """300 is `5`, `minutes`: seconds in the largest unit that leaves them whole."""
    unit, size = next((name, size) for name, size in reversed(LENGTHS_S.items()) if length_s % size == 0)
    return str(length_s // size), unit


def _of_milliseconds(amount: Decimal, said: str) -> str:
    if amount > 1000 * Decimal(durations.LONGEST.total_seconds()):  # and more digits than can be divided
        raise BadAmountError("That is too long: ten years is the most.")
    if amount % 1:
        raise BadAmountError(f"Give whole numbers instead of {said}.")
    whole = f"{amount / 1000:f}"
    return _spoken(UNITS["seconds"].format(whole), said)


def _whole(amount: Decimal, unit: str) -> str:
    """A day may have 23 or 25 hours: what half of one is has to be said."""
    if unit in _HOURS:
        hours = f"{amount * _HOURS[unit]:f}"
        hours = hours.rstrip("0").rstrip(".") if "." in hours else hours
        return f"Give whole numbers: {hours} hours instead of {amount} {unit}."
    return f"Give whole numbers, or a number of days instead of {amount} {unit}."


def _spoken(text: str, said: str) -> str:
    """Give the duration back if it is one. Raises BadAmountError, in the words that were typed."""
    try:
        durations.parse(text)
    except durations.BadDurationError as error:
        raise BadAmountError(re.sub(r" \(P\w+\)", "", str(error)).replace(text, said)) from None
    return text
