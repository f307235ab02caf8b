"""JSON values in a text of which more may come: each is read as soon as all of it is there."""

import json
import re
from typing import Any

from badgerjobs.lib.finite_numbers import NotFiniteError, finite, finite_whole
from badgerjobs.lib.json_depth import is_deeper
from badgerjobs.lib.storable import cleaned, is_storable

# Of one value, in characters: what goes on for longer is not waited for.
LONGEST = 16 * 1024 * 1024
MOST_LEVELS = 100
# So near its end, what is wrong with a text may be that the rest of it has not come: "\\u12", "-Infinit", "1.5e+".
_NEAR = 12
# 12 may go on as 123, as 12.5 and as 12e9.
_GO_ON = ("", ".", "e", "E")

# In a text that has one of these escapes there may be what PostgreSQL cannot keep.
_ODD = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")

_reader = json.JSONDecoder(parse_float=finite, parse_constant=finite, parse_int=finite_whole)
_scan = _reader.scan_once  # type: ignore[attr-defined]  # the type's stub leaves it out


class JSONFaultError(ValueError):
    """What is no JSON, at a place in the text: a clause that says why."""

    def __init__(self, clause: str, at: int = 0) -> None:
        super().__init__(clause)
        self.clause = clause
        self.at = at


TOO_DEEP = f"it is nested more than {MOST_LEVELS} levels deep"
TOO_LARGE_NUMBER = "a number in it is none, or is larger than can be kept"


def scan(text: str, at: int, *, is_all: bool) -> tuple[Any, int] | None:
    """The value that begins there, and where it ends. None where more of the text has to come first.

    With `is_all` nothing more comes. Raises JSONFaultError.
    """
    try:
        value, end = _scan(text, at)
    except StopIteration as stop:
        _ensure_may_go_on(text, int(stop.value), "there is no value where one should be", is_all=is_all)
        return None
    except json.JSONDecodeError as error:
        goes_on = error.msg.startswith("Unterminated string")
        _ensure_may_go_on(text, len(text) if goes_on else error.pos, _said(error), is_all=is_all)
        return None
    except NotFiniteError:
        raise JSONFaultError(TOO_LARGE_NUMBER, at) from None
    except RecursionError:
        raise JSONFaultError(TOO_DEEP, at) from None
    except ValueError:  # more digits than Python reads
        raise JSONFaultError(TOO_LARGE_NUMBER, at) from None
    if not is_all and text[end : end + 1] in _GO_ON and end > len(text) - _NEAR and not _is_closed(value):
        return None
    if text.count("[", at, end) + text.count("{", at, end) > MOST_LEVELS and is_deeper(value, MOST_LEVELS):
        raise JSONFaultError(TOO_DEEP, at)
    if text.find("\\u", at, end) >= 0 and _ODD.search(text, at, end) and not is_storable(value):
        value = cleaned(value)
    return value, end


def _is_closed(value: Any) -> bool:
    return isinstance(value, str | dict | list)


def _ensure_may_go_on(text: str, at: int, clause: str, *, is_all: bool) -> None:
    if is_all or at < len(text) - _NEAR:
        raise JSONFaultError(clause, at)


def _said(error: json.JSONDecodeError) -> str:
    return f"{error.msg[:1].lower()}{error.msg[1:]}"
