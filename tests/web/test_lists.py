"""Lists in a request: counted before anything is done with what is in them."""

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework import serializers

from badgerjobs import urls  # noqa: F401  every serializer is there once the addresses are
from badgerjobs.lib import statuses
from badgerjobs.web.definitions.fields import HeadersField
from badgerjobs.web.definitions.serializers import ConfigurationField
from badgerjobs.web.serializers import MOST_ERRORS, BoundedDictField, BoundedListField, StrictSerializer
from tests.callers import Caller

JOB = {"tag": "t", "endpoint": "https://example.com/", "verb": "GET"}


class Counting(serializers.IntegerField):
    """Counts the values that it looks at."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.looks = 0

    def run_validation(self, data: Any = serializers.empty) -> Any:
        self.looks += 1
        return super().run_validation(data)


@pytest.mark.parametrize(
    ("given", "looks", "wrong"),
    [
        ([1] * 50, 50, 0),
        ([1] * 51, 0, 1),
        (["x"] * 100_000, 0, 1),
        (["x"] * 50, MOST_ERRORS, MOST_ERRORS),
        ([1, "x", 2], 3, 1),
        ("x" * 100_000, 0, 1),
        ({}, 0, 1),
    ],
    ids=["as many as may be", "one too many", "very many", "all wrong", "one wrong", "a text", "an object"],
)
def test_a_list_is_counted_before_its_values_are_looked_at(given: Any, looks: int, wrong: int) -> None:
    child = Counting()
    field = BoundedListField(child=child, max_length=50)
    found = 0
    try:
        assert field.run_validation(given) == given
    except serializers.ValidationError as error:
        found = len(error.detail)
    assert (field.child.looks, found) == (looks, wrong)  # type: ignore[attr-defined]  # ours


def test_an_object_is_counted_before_its_values_are_looked_at() -> None:
    child = Counting()
    field = BoundedDictField(child=child, most=2)
    with pytest.raises(serializers.ValidationError, match="at most 2 of them: these are 3"):
        field.run_validation({"a": 1, "b": 2, "c": 3})
    assert child.looks == 0
    assert field.run_validation({"a": 1, "b": 2}) == {"a": 1, "b": 2}


def fields_of(kind: type[StrictSerializer]) -> Iterator[tuple[str, serializers.Field[Any, Any, Any, Any]]]:
    for below in kind.__subclasses__():
        yield from ((f"{below.__name__}.{name}", field) for name, field in below._declared_fields.items())
        yield from fields_of(below)


def test_every_list_that_a_request_may_bring_is_counted_first() -> None:
    many = (serializers.ListField, serializers.ListSerializer, serializers.DictField)
    # The last is the object that its type's serializer takes, field by field.
    bounded = (BoundedListField, BoundedDictField, HeadersField, ConfigurationField)
    found = {name: type(field) for name, field in fields_of(StrictSerializer) if isinstance(field, many)}
    assert {name for name, kind in found.items() if not issubclass(kind, bounded)} == set()
    assert "ChoiceSerializer.ids" in found


@pytest.mark.parametrize("delays", [[0] * 60_000, ["x"] * 60_000], ids=["numbers", "words"])
def test_too_many_waits_are_one_sentence(alice: Caller, delays: list[Any]) -> None:
    given = {"retry_policy": "list", "retry_delays": delays}
    for answer in (alice.post("/jobs/", {**JOB, **given}), alice.patch("/application/", given)):
        assert answer.status == 400
        assert answer.errors == {"retry_delays": ["Give at most 50 of them: these are 60000."]}


def test_a_text_of_statuses_that_is_too_long_is_neither_read_nor_remembered(
    alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    parse = statuses.parse

    def reading(text: str) -> frozenset[int]:
        read.append(text)
        return parse(text)

    monkeypatch.setattr(statuses, "parse", reading)
    for name in ("fail_statuses", "retry_statuses"):
        answer = alice.post("/jobs/", {**JOB, name: ",".join(["500"] * 10_000)})
        assert (answer.status, set(answer.errors)) == (400, {name})
        assert "Give at most 200 characters" in answer.errors[name][0]
    assert all(len(text) <= 200 for text in read)
