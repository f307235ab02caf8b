"""What a pydantic model finds wrong, in the words that serializers say it in (`badgerjobs/web/sentences.py`)."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from badgerjobs.web.sentences import A_DAY

# What pydantic puts before the sentence of a model's own check, and where it says that more is told of it.
_SAID = re.compile("^(Value error|Assertion failed), ")
_MORE = re.compile(r"\s*For further information visit https://errors\.pydantic\.dev/\S+")

_A_STRING, _WHOLE, _A_NUMBER, _A_BOOLEAN = (
    "Give a string.",
    "Give a whole number.",
    "Give a number.",
    "Give true or false.",
)
_A_LIST, _AN_OBJECT = 'Give a list, like ["a", "b"].', "Give an object with fields."
_A_TIME, _A_UUID = "Give a time like 2026-11-21T22:50:28Z.", "Give a UUID like 019e8c4e-7f3a-7c1d-9b52-4f6a1d2e3c4b."
_CHOSEN = "Take one of these: {expected}."

# By the type of the error. The bounds stand in braces, and what was given: `given` itself, `length` of a text.
_WORDS: Mapping[str, str] = {
    "missing": "Give this field: it is needed.",
    "extra_forbidden": "Leave this field out: there is none of this name.",
    "string_type": _A_STRING,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _A_NUMBER,
    "float_parsing": _A_NUMBER,
    "finite_number": _A_NUMBER,
    "decimal_type": _A_NUMBER,
    "decimal_parsing": _A_NUMBER,
    "bool_type": _A_BOOLEAN,
    "bool_parsing": _A_BOOLEAN,
    "list_type": _A_LIST,
    "tuple_type": _A_LIST,
    "set_type": _A_LIST,
    "dict_type": 'Give an object, like {{"name": "value"}}.',
    "model_type": _AN_OBJECT,
    "model_attributes_type": _AN_OBJECT,
    "dataclass_type": _AN_OBJECT,
    "date_type": A_DAY,
    "date_parsing": A_DAY,
    "date_from_datetime_parsing": A_DAY,
    "datetime_type": _A_TIME,
    "datetime_parsing": _A_TIME,
    "datetime_from_date_parsing": _A_TIME,
    "timezone_aware": _A_TIME,
    "uuid_type": _A_UUID,
    "uuid_parsing": _A_UUID,
    "none_required": "Give null, or leave it out.",
    "enum": _CHOSEN,
    "literal_error": _CHOSEN,
    "string_too_short": "Give at least {min_length:,} characters: this has {length:,}.",
    "string_too_long": "Give at most {max_length:,} characters: this has {length:,}.",
    "too_short": "Give at least {min_length:,} of them: these are {actual_length:,}.",
    "too_long": "Give at most {max_length:,} of them: these are {actual_length:,}.",
    "greater_than": "Give more than {gt}: this is {given}.",
    "greater_than_equal": "Give at least {ge}: this is {given}.",
    "less_than": "Give less than {lt}: this is {given}.",
    "less_than_equal": "Give at most {le}: this is {given}.",
}


_BOUNDS = ("gt", "ge", "lt", "le")
# So many characters of what was given are told.
LONGEST_GIVEN = 100


def said_of(error: Mapping[str, Any]) -> str:
    """The sentence of one of `ValidationError.errors()`; pydantic's own, without its address, for what is rare."""
    words = _WORDS.get(error["type"])
    given = error.get("input")
    facts = {name: _bound(value) if name in _BOUNDS else value for name, value in (error.get("ctx") or {}).items()}
    facts |= {"given": str(given)[:LONGEST_GIVEN], "length": len(given) if isinstance(given, str) else 0}
    try:
        if words:
            return words.format_map(facts)
    except (KeyError, ValueError, TypeError):  # another version of pydantic says other facts of it
        pass
    said = _MORE.sub("", _SAID.sub("", str(error["msg"]))).strip()
    return said if said.endswith((".", "!", "?", "…")) else f"{said}."


def _bound(value: Any) -> Any:
    """A bound of 0.0 is 0, and one of 3650 is 3,650. Days are told as they are."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"{value:,}" if isinstance(value, int | float | Decimal) else value
