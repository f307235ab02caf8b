"""Values of Python as JSON has them: a copy that shares nothing with them, or a sentence that says what is none."""

import json
import math
from typing import Any

from badgerjobs.lib.storable import UNSTORABLE

MOST_LEVELS = 100
MOST_VALUES = 1_000_000
# Python reads no number that has more than 4,300 digits.
MOST_BITS = 10_000

_LONGEST_PLACE = 100

# The first that a value is of: what is true is a number to Python, too.
_WORDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "null"),
    (bool, "true or false"),
    (str, "a string"),
    ((int, float), "a number"),
    (list, "a list"),
    (dict, "an object"),
)


class NotJSONError(ValueError):
    """What cannot be kept as JSON. The message names the place, and says what is wrong there."""


def copied(value: Any, what: str) -> Any:
    """Copy objects, lists, texts, finite numbers, true, false and null; tuples become lists.

    `what` begins the sentence: `The output`. Raises NotJSONError for all else, and for what is too deep or too much.
    """
    return _Copying(what).of(value, "", ())


def word_of(value: Any) -> str:
    """What JSON calls a value: `a list`. What it does not have is called by its type in Python."""
    for kinds, word in _WORDS:
        if isinstance(value, kinds):
            return word
    return f"an object of the type {type(value).__name__}"


def length_of(value: Any) -> int:
    """How many bytes JSON has, written without blanks in UTF-8."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


class _Copying:
    def __init__(self, what: str) -> None:
        self.what = what
        self.values = 0

    def of(self, value: Any, place: str, around: tuple[int, ...]) -> Any:
        """Copy what stands at a place, within the objects and lists of these ids."""
        self.values += 1
        if self.values > MOST_VALUES:
            raise NotJSONError(f"{self.what} holds more than {MOST_VALUES:,} values.")
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(value, place)
        if isinstance(value, int | float):
            return self._number(value, place)
        if isinstance(value, dict | list | tuple):
            return self._inner(value, place, around)
        raise NotJSONError(f"{self._at(place)} is of the type {type(value).__name__}, which JSON does not have.")

    def _inner(self, value: Any, place: str, around: tuple[int, ...]) -> Any:
        if id(value) in around:
            raise NotJSONError(f"{self._at(place)} contains itself.")
        if len(around) == MOST_LEVELS:
            raise NotJSONError(f"{self.what} is nested more than {MOST_LEVELS} levels deep.")
        within = (*around, id(value))
        if not isinstance(value, dict):
            return [self.of(inner, f"{place}[{index}]", within) for index, inner in enumerate(value)]
        return {self._name(name, place): self.of(inner, f"{place}.{name}", within) for name, inner in value.items()}

    def _name(self, name: Any, place: str) -> str:
        if not isinstance(name, str):
            raise NotJSONError(f"{self._at(place)} has the name {str(name)[:20]}, which is no text: names are in JSON.")
        return self._text(name, place)

    def _text(self, value: str, place: str) -> str:
        if UNSTORABLE.search(value):
            raise NotJSONError(f"{self._at(place)} has a null character, or half of a character, in a text.")
        return str.__str__(value)

    def _number(self, value: float, place: str) -> float:
        if isinstance(value, float):
            if not math.isfinite(value):
                raise NotJSONError(f"{self._at(place)} is {value!r}, which is no number in JSON.")
            return float(value)
        if value.bit_length() > MOST_BITS:
            raise NotJSONError(f"{self._at(place)} is a number that has too many digits.")
        return int(value)

    def _at(self, place: str) -> str:
        """`The output, at items[3].name,`."""
        if not place:
            return self.what
        shown = UNSTORABLE.sub("\ufffd", place.removeprefix("."))
        return f"{self.what}, at {shown[:_LONGEST_PLACE]},"
