"""JSON as people type it, and as it is laid out for them."""

import json
from typing import Any, NoReturn

from badgerjobs.lib.finite_numbers import finite
from badgerjobs.lib.json_depth import is_deeper
from badgerjobs.web.parsers import MOST_LEVELS, TOO_DEEP

# What is longer is not laid out: it would grow, and nobody reads all of it.
LONGEST_LAID_OUT = 100_000
TOO_LARGE = "A number in it is larger, or has more digits, than is kept: make it a text, in quotes."

# What Python says of it, as the editor in the browser says it.
_WRONG = {
    "Expecting value": "a value is expected here",
    "Expecting property name enclosed in double quotes": "a name in double quotes is expected here",
    "Expecting ':' delimiter": "a colon is expected here",
    "Expecting ',' delimiter": "a comma or a closing bracket is expected here",
    "Invalid control character at": "a text holds no line breaks and no tabs: write \\n and \\t",
    "Unterminated string starting at": "the text that begins here is not closed",
    "Invalid \\escape": 'after \\ stands one of " \\ / b f n r t u',
    "Invalid \\uXXXX escape": "after \\u stand four digits, from 0 to f",
    "Extra data": "nothing may follow the value",
}


class BadJSONError(ValueError):
    """The message says where it goes wrong, for people."""


def read(text: str) -> Any:
    """What a text says; None where it is empty. Raises BadJSONError."""
    if not text.strip():
        return None
    try:
        value = json.loads(text, parse_float=finite, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        wrong = _WRONG.get(error.msg) or error.msg[:1].lower() + error.msg[1:]
        raise BadJSONError(f"This is no JSON. Line {error.lineno}, column {error.colno}: {wrong}.") from None
    except RecursionError:
        raise BadJSONError(TOO_DEEP) from None
    except BadJSONError:
        raise
    except ValueError:
        raise BadJSONError(TOO_LARGE) from None
    if is_deeper(value, MOST_LEVELS - 1):  # a request has it one level down
        raise BadJSONError(TOO_DEEP)
    return value


def written(value: Any) -> str:
    """The same for people to change; empty for None."""
    if value is None:
        return ""
    short = json.dumps(value, ensure_ascii=False)
    return short if len(short) > LONGEST_LAID_OUT else json.dumps(value, ensure_ascii=False, indent=2)


def beginning(value: Any, most: int) -> str:
    """The same, null too, up to so many characters: no more are written. Blanks make some values hundredfold."""
    parts: list[str] = []
    length = 0
    for part in json.JSONEncoder(ensure_ascii=False, indent=2).iterencode(value):
        parts.append(part)
        length += len(part)
        if length >= most:
            break
    return "".join(parts)[:most]


def _no_number(name: str) -> NoReturn:
    raise BadJSONError(f"This is no JSON: {name} is no number there.")
