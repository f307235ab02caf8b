"""An input is checked by its definition's class, and said as a schema."""

from datetime import date, datetime
from enum import Enum
from typing import Any, Literal

import pydantic
import pytest
from rest_framework import serializers

from tasks.background.inputs import MOST_BYTES, InvalidInputError, schema_of, validated
from tests.tasks.background.definitions_of import a_definition


class Address(serializers.Serializer[Any]):
    city = serializers.CharField(max_length=5)


class Articles(serializers.Serializer[Any]):
    shop = serializers.SlugField(label="Shop", help_text="Which one.")
    pages = serializers.IntegerField(min_value=1, max_value=9, default=3)
    since = serializers.DateField(required=False, allow_null=True)
    price = serializers.DecimalField(max_digits=6, decimal_places=2, required=False)
    colour = serializers.ChoiceField(["red", "blue"], required=False, allow_null=True)
    tags = serializers.ListField(child=serializers.CharField(), required=False, max_length=2)
    address = Address(required=False)
    places = Address(many=True, required=False)
    anything = serializers.JSONField(required=False)
    seen = serializers.BooleanField(read_only=True)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["shop"] == "closed":
            raise serializers.ValidationError("The shop is closed.")
        if given["shop"] == "bug":
            raise KeyError("secret")
        return given


class Place(pydantic.BaseModel):
    city: str = pydantic.Field(max_length=5)


class Model(pydantic.BaseModel):
    shop: str
    pages: int = pydantic.Field(3, ge=1)
    since: date | None = None
    colour: Literal["red", "blue"] = "red"
    places: list[Place] = []

    @pydantic.field_validator("shop")
    @classmethod
    def open_shop(cls, shop: str) -> str:
        if shop == "closed":
            raise ValueError("The shop is closed.")
        if shop == "bug":
            raise KeyError("secret")
        return shop


class Colour(Enum):
    RED, BLUE = "red", "blue"


class Strict(pydantic.BaseModel, extra="forbid"):
    name: str = pydantic.Field("Alice", min_length=3)
    tags: list[str] = pydantic.Field([], min_length=1, max_length=2)
    pages: int = 1
    days: int = pydantic.Field(90, le=3650)
    price: float = pydantic.Field(1.0, gt=0, le=9.5)
    deep: bool = True
    colour: Colour = Colour.RED
    size: Literal["S", 3] = "S"
    since: date | None = None
    at: datetime | None = None
    named: dict[str, int] = {}
    place: Place | None = None
    code: str = pydantic.Field("A1", pattern="^[A-Z][0-9]$")

    @pydantic.field_validator("named", mode="before")
    @classmethod
    def of_another_model(cls, named: Any) -> Any:
        try:
            return Place.model_validate({}).model_dump() if named == "a place" else named
        except pydantic.ValidationError as error:
            raise ValueError(str(error)) from None


OF_SERIALIZER, OF_MODEL, OF_NONE = (a_definition(input_class=each) for each in (Articles, Model, None))
ALL = pytest.mark.parametrize(
    "definition", [OF_SERIALIZER, OF_MODEL, OF_NONE], ids=["serializer", "model", "without a class"]
)


def refused(definition: Any, given: Any) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as raised:
        validated(definition, given)
    return raised.value


def test_without_a_class_any_object_is_taken_and_copied() -> None:
    given = {"rows": [1]}
    found = validated(OF_NONE, given)
    given["rows"].append(2)
    assert found == {"rows": [1]}
    assert validated(OF_NONE, None) == {}


def test_a_serializer_fills_defaults_and_what_it_reads_is_kept_as_json() -> None:
    given = {"shop": "alice", "since": "2026-03-01", "price": "1.5", "address": {"city": "Bern"}, "other": 1}
    assert validated(OF_SERIALIZER, given) == {
        "shop": "alice",
        "pages": 3,
        "since": "2026-03-01",
        "price": "1.50",
        "address": {"city": "Bern"},
    }


def test_a_model_fills_defaults_and_what_it_reads_is_kept_as_json() -> None:
    assert validated(OF_MODEL, {"shop": "alice", "since": "2026-03-01", "places": [{"city": "Bern"}]}) == {
        "shop": "alice",
        "pages": 3,
        "since": "2026-03-01",
        "colour": "red",
        "places": [{"city": "Bern"}],
    }


@pytest.mark.parametrize(
    ("definition", "given", "fields"),
    [
        (OF_SERIALIZER, None, {"shop": ("required", "Give this field: it is needed.", ["shop"])}),
        (
            OF_SERIALIZER,
            {"shop": "a b", "pages": 0, "address": {"city": "Winterthur"}, "places": [{"city": "Bern"}, {}]},
            {
                "shop": (
                    "invalid",
                    'Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.',
                    ["shop"],
                ),
                "pages": ("min_value", "Give at least 1: this is 0.", ["pages"]),
                "address.city": (
                    "max_length",
                    "Give at most 5 characters: this has 10.",
                    ["address", "city"],
                ),
                "places.1.city": ("required", "Give this field: it is needed.", ["places", 1, "city"]),
            },
        ),
        (OF_SERIALIZER, {"shop": "x", "tags": ["a", {}]}, {"tags.1": ("invalid", "Give a string.", ["tags", 1])}),
        (OF_SERIALIZER, {"shop": "closed"}, {"": ("invalid", "The shop is closed.", [])}),
        (OF_MODEL, None, {"shop": ("missing", "Give this field: it is needed.", ["shop"])}),
        (
            OF_MODEL,
            {"shop": "closed", "pages": 0, "places": [{"city": "Winterthur"}]},
            {
                "shop": ("value_error", "The shop is closed.", ["shop"]),
                "pages": ("greater_than_equal", "Give at least 1: this is 0.", ["pages"]),
                "places.0.city": ("string_too_long", "Give at most 5 characters: this has 10.", ["places", 0, "city"]),
            },
        ),
    ],
)
def test_each_field_that_is_wrong_is_said_with_its_path(
    definition: Any, given: Any, fields: dict[str, tuple[str, str, list[Any]]]
) -> None:
    error = refused(definition, given)
    assert str(error) == "The input is not valid."
    assert error.fields == {
        path: {"code": code, "message": message, "data": {"path": way}} for path, (code, message, way) in fields.items()
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": 1}, "Give a string."),
        ({"name": "Al"}, "Give at least 3 characters: this has 2."),
        ({"tags": "a"}, 'Give a list, like ["a", "b"].'),
        ({"tags": []}, "Give at least 1 of them: these are 0."),
        ({"tags": ["a", "b", "c"]}, "Give at most 2 of them: these are 3."),
        ({"pages": "many"}, "Give a whole number."),
        ({"pages": 1.5}, "Give a whole number."),
        ({"price": "much"}, "Give a number."),
        ({"price": 0}, "Give more than 0: this is 0."),
        ({"price": 10}, "Give at most 9.5: this is 10."),
        ({"deep": "perhaps"}, "Give true or false."),
        ({"colour": "green"}, "Take one of these: 'red' or 'blue'."),
        ({"size": "M"}, "Take one of these: 'S' or 3."),
        ({"since": "soon"}, "Give a day like 2026-11-21."),
        ({"at": "soon"}, "Give a time like 2026-11-21T22:50:28Z."),
        ({"named": [1]}, 'Give an object, like {"name": "value"}.'),
        ({"place": 3}, "Give an object with fields."),
        ({"other": 1}, "Leave this field out: there is none of this name."),
        ({"code": "1A"}, "String should match pattern '^[A-Z][0-9]$'."),
        ({"days": 3651}, "Give at most 3,650: this is 3651."),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else None,
)  # fmt: skip
def test_what_a_model_finds_wrong_is_said_in_our_words(given: dict[str, Any], said: str) -> None:
    [field] = refused(a_definition(input_class=Strict), given).fields.values()
    assert field["message"] == said


class Chosen(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(["fast", "{whole}"], required=False)
    sides = serializers.MultipleChoiceField(choices=["left", "right"], required=False)
    sizes = serializers.ListField(child=serializers.ChoiceField([1, 2]), required=False)
    page = serializers.ChoiceField(range(100), required=False)
    own = serializers.ChoiceField(["a"], error_messages={"invalid_choice": "Only a."}, required=False)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"mode": "slow"}, "“slow” is none of fast, {whole}."),
        ({"sides": ["up"]}, "“up” is none of left, right."),
        ({"sizes": [1, 3]}, "“3” is none of 1, 2."),
        (
            {"page": 100},
            "“100” is none of its choices: background-tasks/definitions/ lists them, in the schema of the input.",
        ),
        ({"own": "b"}, "Only a."),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else None,
)
def test_a_wrong_choice_is_told_those_that_there_are(given: dict[str, Any], said: str) -> None:
    [field] = refused(a_definition(input_class=Chosen), given).fields.values()
    assert field["message"] == said


def test_the_address_of_pydantics_pages_is_never_told() -> None:
    [field] = refused(a_definition(input_class=Strict), {"named": "a place"}).fields.values()
    assert "1 validation error for Place" in field["message"]
    assert "https://" not in field["message"]


def test_a_long_value_out_of_range_is_not_told_whole() -> None:
    [field] = refused(a_definition(input_class=Strict), {"price": f"1{'0' * 200}"}).fields.values()
    assert field["message"] == f"Give at most 9.5: this is 1{'0' * 99}."


@ALL
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], 'The input must be an object, like {"rows": 3}, and not a list.'),
        ("text", 'The input must be an object, like {"rows": 3}, and not a string.'),
        (True, 'The input must be an object, like {"rows": 3}, and not true or false.'),
        (7, 'The input must be an object, like {"rows": 3}, and not a number.'),
        ({"shop": {1}}, "The input, at shop, is of the type set, which JSON does not have."),
        ({"shop": "x\0"}, "The input, at shop, has a null character, or half of a character, in a text."),
        ({"shop": float("nan")}, "The input, at shop, is nan, which is no number in JSON."),
        ({"shop": "x" * MOST_BYTES}, "The input has 1,048,587 bytes as JSON, and may have 1,048,576."),
    ],
    ids=["list", "text", "true", "number", "set", "null character", "nan", "too long"],
)
def test_what_is_no_object_of_json_never_reaches_the_class(definition: Any, given: Any, said: str) -> None:
    error = refused(definition, given)
    assert str(error) == said
    assert error.fields == {"": {"code": "invalid", "message": said, "data": {"path": []}}}


@pytest.mark.parametrize("definition", [OF_SERIALIZER, OF_MODEL], ids=["serializer", "model"])
def test_a_bug_in_the_class_is_said_without_what_it_says_and_logged(
    definition: Any, caplog: pytest.LogCaptureFixture
) -> None:
    error = refused(definition, {"shop": "bug"})
    assert str(error) == "The input could not be checked: KeyError."
    assert [record.message for record in caplog.records] == [
        "The input of the background task syncArticles could not be checked."
    ]


def test_what_a_class_makes_of_an_input_must_be_json_too() -> None:
    class Odd(serializers.Serializer[Any]):
        def validate(self, given: dict[str, Any]) -> dict[str, Any]:
            return {**given, "rows": float("inf")}

    error = refused(a_definition(input_class=Odd), {})
    assert str(error) == "The input, at rows, is inf, which is no number in JSON."


def test_the_schema_without_a_class_is_any_object() -> None:
    assert schema_of(OF_NONE) == {"type": "object"}


def test_the_schema_of_a_model_is_its_own() -> None:
    schema = schema_of(OF_MODEL)
    assert schema["required"] == ["shop"]
    assert schema["properties"]["pages"]["minimum"] == 1
    assert "Place" in schema["$defs"]


def test_the_schema_of_a_serializer_has_what_forms_need() -> None:
    city = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 5, "title": "City"}},
        "required": ["city"],
    }
    schema = schema_of(OF_SERIALIZER)

    assert schema["required"] == ["shop"]
    properties = {
        name: {said: value for said, value in each.items() if said != "title"}
        for name, each in schema["properties"].items()
    }
    assert schema["properties"]["shop"]["title"] == "Shop"
    assert properties == {
        "shop": {"type": "string", "description": "Which one."},
        "pages": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
        "since": {"type": ["string", "null"], "format": "date"},
        "price": {"type": "number"},
        "colour": {"type": ["string", "null"], "enum": ["red", "blue", None]},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "address": city,
        "places": {"type": "array", "items": city},
        "anything": {},
    }
