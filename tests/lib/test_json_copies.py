"""A copy is JSON, and shares nothing; what is none is said with its place."""

import enum
import json
from collections import OrderedDict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils.safestring import mark_safe

from badgerjobs.lib.json_copies import MOST_VALUES, NotJSONError, copied, length_of


class Colour(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


def nested(levels: int, inner: Any = 0) -> Any:
    for _ in range(levels):
        inner = [inner]
    return inner


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -1.5, "", "ä🦡", [], {}, {"a": [1, {"b": None}]}, nested(100), 10**3000],
    ids=["null", "true", "zero", "float", "empty", "text", "list", "object", "both", "deep", "digits"],
)
def test_json_is_copied_as_it_is(value: Any) -> None:
    assert copied(value, "The output") == value


def test_a_copy_shares_nothing() -> None:
    value = {"a": [{"b": 1}]}
    copy = copied(value, "The output")
    value["a"][0]["b"] = 2
    assert copy == {"a": [{"b": 1}]}


@pytest.mark.parametrize(
    ("value", "kind", "plain"),
    [
        ((1, 2), list, [1, 2]),
        (OrderedDict(a=1), dict, {"a": 1}),
        (Colour.RED, str, "red"),
        (Level.LOW, int, 1),
        (mark_safe("<b>"), str, "<b>"),
    ],
)
def test_what_is_nearly_json_becomes_plain(value: Any, kind: type, plain: Any) -> None:
    copy = copied(value, "The output")
    assert (type(copy), copy) == (kind, plain)


def test_what_stands_twice_is_copied_twice() -> None:
    same = {"a": 1}
    copy = copied([same, same], "The output")
    assert copy == [{"a": 1}] * 2
    assert copy[0] is not copy[1]


ITSELF: list[Any] = []
ITSELF.append({"again": ITSELF})


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("nan"), "The output is nan, which is no number in JSON."),
        ({"a": [1, float("inf")]}, "The output, at a[1], is inf, which is no number in JSON."),
        ({"a": {"b": {1}}}, "The output, at a.b, is of the type set, which JSON does not have."),
        (Decimal(1), "The output is of the type Decimal, which JSON does not have."),
        ([datetime(2026, 1, 1, tzinfo=UTC)], "The output, at [0], is of the type datetime, which JSON does not have."),
        (b"x", "The output is of the type bytes, which JSON does not have."),
        ({1: "a"}, "The output has the name 1, which is no text: names are in JSON."),
        ({"a": "x\0"}, "The output, at a, has a null character, or half of a character, in a text."),
        ({"a": ["\ud800"]}, "The output, at a[0], has a null character, or half of a character, in a text."),
        ({"a\0": 1}, "The output has a null character, or half of a character, in a text."),
        ({"a": {"\ud800": {1}}}, "The output, at a, has a null character, or half of a character, in a text."),
        (nested(101), "The output is nested more than 100 levels deep."),
        (nested(400), "The output is nested more than 100 levels deep."),
        (ITSELF, "The output, at [0].again, contains itself."),
        (10**4000, "The output is a number that has too many digits."),
        ([0] * MOST_VALUES, f"The output holds more than {MOST_VALUES:,} values."),
    ],
    ids=[
        "nan", "infinity", "set", "decimal", "datetime", "bytes", "number as a name", "null character", "surrogate",
        "null character in a name", "surrogate in a name", "a level too deep", "far too deep", "itself", "digits",
        "values",
    ],
)  # fmt: skip
def test_what_is_no_json_is_said_with_its_place(value: Any, said: str) -> None:
    with pytest.raises(NotJSONError) as raised:
        copied(value, "The output")
    assert str(raised.value) == said


def test_what_shares_much_ends_at_a_bound() -> None:
    value: Any = 0
    for _ in range(60):
        value = [value, value]
    with pytest.raises(NotJSONError, match="values"):
        copied(value, "The output")


def test_a_long_place_is_cut() -> None:
    with pytest.raises(NotJSONError) as raised:
        copied({"x" * 5000: {1}}, "The output")
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize("value", [{"ä": [1, 2.5, None]}, "🦡", 10])
def test_the_length_is_that_of_json_without_blanks(value: Any) -> None:
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert length_of(value) == len(written.encode())
