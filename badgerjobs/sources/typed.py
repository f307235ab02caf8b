"""The variables of a GraphQL query as JSON of their types."""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from badgerjobs.lib import handlebars
from badgerjobs.lib.finite_numbers import finite
from badgerjobs.lib.handlebars import Filling, Place, TemplateError

INT = re.compile(r"[+-]?[0-9]{1,20}")
FLOAT = re.compile(r"[+-]?[0-9]{1,400}(\.[0-9]{0,400})?([eE][+-]?[0-9]{1,4})?")
# What GraphQL calls an Int.
LEAST, MOST = -(2**31), 2**31 - 1
SHOWN = 40


def typed(variable: Mapping[str, Any], filling: Filling) -> Any:
    """The value of a variable (`name`, `type`, `value`). Raises TemplateError, naming the variable.

    A placeholder alone whose value is null gives null, whatever the type.
    """
    template, kind = variable["value"], variable["type"]
    alone = _alone(template)
    found = filling.find(alone) if alone else ...
    if found is None:
        return None
    if kind == "JSON":
        return _json(variable, template, found, filling)
    text = filling.render(template)
    value = _READ[kind](text.strip() if kind not in {"String", "ID"} else text)
    if value is None:
        article = "an" if kind == "Int" else "a"
        raise TemplateError(f"The variable {variable['name']} is {article} {kind}: “{text[:SHOWN]}” is none.")
    return value


def _alone(template: str) -> str:
    """The path of a template that is one placeholder and nothing else."""
    pieces = list(handlebars.split(template))
    return pieces[0][1] if len(pieces) == 2 and not pieces[0][0] and not pieces[1][0] else ""


def _json(variable: Mapping[str, Any], template: str, found: Any, filling: Filling) -> Any:
    """A text that fills all of it is JSON itself; within other JSON, values are escaped."""
    if found is not ... and not isinstance(found, str):
        return found
    text = found if isinstance(found, str) else filling.render(template, Place.JSON)
    try:
        return json.loads(text, parse_float=finite, parse_constant=finite)
    except (ValueError, RecursionError):
        raise TemplateError(f"The variable {variable['name']} is JSON: “{text[:SHOWN]}” is none.") from None


def _int(text: str) -> int | None:
    number = int(text) if INT.fullmatch(text) else None
    return number if number is not None and LEAST <= number <= MOST else None


def _float(text: str) -> float | None:
    number = float(text) if FLOAT.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def _boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _text(text: str) -> str:
    return text


_READ: Mapping[str, Callable[[str], Any]] = {
    "String": _text,
    "Int": _int,
    "Float": _float,
    "Boolean": _boolean,
    "ID": _text,
}
TYPES = (*_READ, "JSON")
