"""Conditions on fields, as SQL. What stands in an address has no type: `30` is the number and the text."""

import json
import re
from collections.abc import Callable, Mapping, Sequence, Set

from badgerjobs.lib.storable import is_storable
from badgerjobs.web.problems import Invalid
from slurps.collecting.reading.asking import Filter
from slurps.collecting.reading.fields import Values, at
from slurps.storing.encoding import SLOT_LETTERS

MOST_VALUES = 100
ANY_TYPE = {"text", "number", "boolean", "null", "list", "object"}

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,400})(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?")


def meant(value: str) -> list[str]:
    """The JSON values that a text in an address may mean."""
    found = [json.dumps(value)]
    if _NUMBER.fullmatch(value):
        found.append(value)
    if value in {"true", "false"}:
        found.append(value)
    return found


def meant_by(one: Filter) -> list[str]:
    """The JSON values of which a filter for equality asks for one. Raises Invalid."""
    if one.operator != "in":
        return meant(one.value)
    listed = (
        _listed(one) if one.value.startswith("[") else [each for text in one.value.split(",") for each in meant(text)]
    )
    listed = list(dict.fromkeys(listed))
    if len(listed) > 2 * MOST_VALUES:  # a number is two
        raise Invalid(**{one.parameter: f"Give at most {MOST_VALUES} values."})
    return listed


def _listed(one: Filter) -> list[str]:
    """A list of JSON: its values have their types."""
    try:
        values = json.loads(one.value)
        if is_storable(values):
            return [json.dumps(value, allow_nan=False) for value in values]
    except (ValueError, RecursionError):
        pass
    raise Invalid(**{one.parameter: 'Give values with commas, or a list as JSON: ["a,b",3].'})


def condition(one: Filter, path: Sequence[str], values: Values, *, slot: str, types: Set[str]) -> str:
    """True of the rows that it asks for. `slot` is where the field is indexed, `types` are those that it had.

    Raises Invalid.
    """
    is_slotted = slot and one.operator in BY_SLOT and len(one.value) < SLOT_LETTERS
    there = slot if is_slotted else at(path, values)
    if one.operator in _SIGNS:
        return _ordered(one, there, values, types)
    return _CONDITIONS[one.operator](one, there, values)


def any_of(found: Sequence[str], values: Values) -> str:
    """A list of jsonb."""
    return f"ARRAY[{', '.join(f'{values.add(one)}::jsonb' for one in found)}]::jsonb[]"


def _equal(one: Filter, there: str, values: Values) -> str:
    return f"{there} = ANY({any_of(meant_by(one), values)})"


def _unequal(one: Filter, there: str, values: Values) -> str:
    return f"NOT coalesce({_equal(one, there, values)}, false)"


def _ordered(one: Filter, there: str, values: Values, types: Set[str]) -> str:
    """Numbers with numbers, and texts with texts, letter by letter: moments as ISO 8601 writes them, say."""
    sign, found = _SIGNS[one.operator], []
    if "text" in types:
        found.append(f"jsonb_typeof({there}) = 'string' AND {there} {sign} {values.add(json.dumps(one.value))}::jsonb")
    if "number" in types and _NUMBER.fullmatch(one.value):
        found.append(f"jsonb_typeof({there}) = 'number' AND {there} {sign} {values.add(one.value)}::jsonb")
    return f"({' OR '.join(found) or 'false'})"


def _contains(one: Filter, there: str, values: Values) -> str:
    """A text with these letters in it, or a list with this value."""
    text = f"jsonb_typeof({there}) = 'string' AND strpos({there} #>> '{{}}', {values.add(one.value)}) > 0"
    has = " OR ".join(f"{there} @> {values.add(each)}::jsonb" for each in meant(one.value))
    return f"(({text}) OR (jsonb_typeof({there}) = 'array' AND ({has})))"


def _starts(one: Filter, there: str, values: Values) -> str:
    starts = f"starts_with({there} #>> '{{}}', {values.add(one.value)})"
    return f"(jsonb_typeof({there}) = 'string' AND {starts})"


def _null(one: Filter, there: str, _values: Values) -> str:
    """Missing, or JSON's null."""
    if one.value.lower() not in {"true", "1", "false", "0"}:
        raise Invalid(**{one.parameter: "Must be true or false."})
    sign = "=" if one.value.lower() in {"true", "1"} else "<>"
    return f"coalesce(jsonb_typeof({there}), 'null') {sign} 'null'"


_CONDITIONS: Mapping[str, Callable[[Filter, str, Values], str]] = {
    "eq": _equal,
    "ne": _unequal,
    "in": _equal,
    "contains": _contains,
    "startswith": _starts,
    "isnull": _null,
}


# Of texts a slot has the beginning, and of what has parts nothing: enough for these, where the value is shorter.
_SIGNS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
BY_SLOT = {"eq", "in", *_SIGNS}


def with_word(word: str, values: Values) -> str:
    """A word anywhere in a row's values, in any case; not in the names of its columns.

    Most rows that have it not are told by their whole text, where the word stands in that as it is.
    """
    pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    place = values.add(pattern)
    exact = (
        "EXISTS (SELECT FROM jsonb_path_query(r.data, 'strict $.**') AS held (value)"
        f" WHERE jsonb_typeof(held.value) IN ('string', 'number', 'boolean') AND held.value #>> '{{}}' ILIKE {place})"
    )
    if '"' in word or "\\" in word or not word.isprintable():
        return exact
    return f"(r.data::text ILIKE {place} AND {exact})"
