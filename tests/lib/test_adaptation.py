from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import DataError, connection
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.array import ListDumper

from badgerjobs.lib.postgresql.adaptation import ArrayDumper, UtcLoader

pytestmark = pytest.mark.django_db

NASTY = ["", "NULL", "null", None, "a,b", "{}", '"', "\\", '\\"', " ", "it's", "\u2003", "é€😀", "\n\t", "%s", "$1"]
MOMENTS = [
    datetime.min.replace(tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
    datetime(2026, 3, 29, 1, 30, 0, 1, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 30, 0, 120000, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 30, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    None,
]


def returned(sql: str, *values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        (found,) = cursor.fetchone()
    return found


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", NASTY),
        ("timestamptz", MOMENTS),
        ("bool", [True, False, None]),
        ("bigint", [0, -1, 2**31, -(2**63), 2**63 - 1, None]),
        ("uuid", [UUID(int=0), UUID(int=2**128 - 1), None]),
        ("float8", [0.1, float("inf"), None]),
        ("text", [None, None]),
        ("text", []),
        ("int", [[1, 2], [3, None]]),
    ],
    ids=["text", "moments", "truths", "numbers", "ids", "what psycopg writes", "nothing known", "empty", "nested"],
)
def test_a_list_arrives_as_it_was_given(kind: str, values: list[Any]) -> None:
    assert returned(f"SELECT %s::{kind}[]", values) == values


@settings(max_examples=200, deadline=None)
@given(st.lists(st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_any_text_arrives_as_it_was_given(values: list[str | None]) -> None:
    assert returned("SELECT %s::text[]", values) == values


@pytest.mark.parametrize(
    ("values", "error"),
    [(["a\0b"], DataError), (["\ud800"], UnicodeEncodeError), (["a", 1], DataError)],
    ids=["NUL", "half a character", "mixed"],
)
def test_what_no_array_can_hold_is_refused_as_psycopg_refuses_it(values: list[Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        returned("SELECT %s::text[]", values)


def test_lists_of_the_usual_types_are_not_searched_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("written by psycopg")

    monkeypatch.setattr(ListDumper, "dump", refuse)
    assert returned("SELECT %s::text[]", ["a", None]) == ["a", None]


def test_moments_are_read_in_utc_of_any_length() -> None:
    for moment in filter(None, MOMENTS):
        found = returned("SELECT %s::timestamptz", moment)
        assert found == moment
        assert found.tzinfo is UTC


@pytest.mark.parametrize("text", ["infinity", "0044-03-15 00:00:00+00 BC", "12026-01-01 00:00:00+00"])
def test_a_moment_that_python_does_not_know_is_refused_as_before(text: str) -> None:
    with pytest.raises((DataError, psycopg.DataError)):
        returned("SELECT %s::timestamptz", text)


def test_every_connection_is_adapted() -> None:
    connection.ensure_connection()
    adapters = connection.connection.adapters
    assert adapters.get_loader(adapters.types["timestamptz"].oid, psycopg.pq.Format.TEXT) is UtcLoader
    assert adapters.get_dumper(list, psycopg.adapt.PyFormat.TEXT) is ArrayDumper
