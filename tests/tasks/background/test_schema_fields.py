"""Which fields a form has for the properties of an input, what they begin with, and what is read of them."""

from enum import Enum
from typing import Any, Literal

import pydantic
import pytest

from tasks.background.schema_fields import NOTHING, Asked, NotReadError, asked_for


class Colour(Enum):
    RED, BLUE = "red", "blue"


class Inner(pydantic.BaseModel):
    city: str


class Order(pydantic.BaseModel):
    address: Inner
    billing_address: Inner | None = None
    paint: Colour = Colour.RED
    called: Inner = pydantic.Field(title="Its own")
    rows: int | None = None
    colours: list[Colour] = [Colour.RED]
    sizes: list[Literal[1, 2]] | None = None
    tags: list[str] = []
    pages: list[int] = []
    ratios: list[float] = []
    many: list[Inner] = []
    nested: list[list[str]] = []


ASKED = {one.name: one for one in asked_for(Order.model_json_schema())}


def test_a_property_is_called_by_its_own_name_and_not_by_its_class() -> None:
    called = [ASKED[name].label for name in ("address", "billing_address", "paint", "called", "rows")]
    assert called == ["Address", "Billing address", "Paint", "Its own", "Rows"]


def test_lists_of_plain_values_are_ticked_or_typed_and_others_are_json() -> None:
    sorts = {name: ASKED[name].sort for name in ("colours", "sizes", "tags", "pages", "ratios", "many", "nested")}
    assert sorts == {
        "colours": "choices", "sizes": "choices", "tags": "words", "pages": "words", "ratios": "words", "many": "json",
        "nested": "json",
    }  # fmt: skip
    assert (ASKED["colours"].choices, ASKED["sizes"].choices) == (["red", "blue"], [1, 2])
    assert ASKED["tags"].hint == "With commas between; or a list, as JSON."


def test_bounds_are_told_with_their_commas() -> None:
    [asked] = asked_for({"properties": {"rows": {"type": "integer", "minimum": 1, "maximum": 60000}}})
    assert asked.hint == "1 to 60,000."


def test_too_many_choices_are_no_boxes() -> None:
    items = {"enum": [str(number) for number in range(21)]}
    [asked] = asked_for({"properties": {"one": {"type": "array", "items": items}}})
    assert asked.sort == "json"


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("tags", "http", ["http"]),
        ("tags", " http , two words,, ", ["http", "two words"]),
        ("tags", '["a, b", ""]', ["a, b", ""]),
        ("tags", " ", NOTHING),
        ("pages", "1, 20", [1, 20]),
        ("ratios", "1.5, 2", [1.5, 2]),
        ("colours", ['"red"', '"blue"'], ["red", "blue"]),
        ("colours", [], []),
        ("sizes", ["2"], [2]),
        ("sizes", [], NOTHING),
    ],
    ids=lambda given: "nothing" if given is NOTHING else str(given),
)
def test_what_was_typed_is_a_list(name: str, typed: Any, value: Any) -> None:
    assert ASKED[name].told(typed) == value


@pytest.mark.parametrize(
    ("name", "typed"), [("pages", "1, many"), ("tags", "[1"), ("sizes", ["3"])], ids=["number", "JSON", "choice"]
)
def test_what_cannot_be_read_is_refused(name: str, typed: Any) -> None:
    with pytest.raises(NotReadError):
        ASKED[name].told(typed)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (["a", "b c"], "a, b c"),
        ([1, 2], "1, 2"),
        ("a", "a"),
        (["a, b"], None),
        (["[1]", "b"], None),
        ([" a"], None),
        ([""], None),
        ([True], None),
        (["a", 1], None),
        ([], None),
        ({"a": 1}, None),
    ],
    ids=str,
)
def test_a_list_is_shown_so_that_it_reads_back_the_same(value: Any, shown: str | None) -> None:
    words: Asked = ASKED["tags"]
    if shown is not None:
        assert words.shown(value) == shown
    elif value:
        assert words.told(words.shown(value)) == value
    else:
        assert words.shown(value) == ""
