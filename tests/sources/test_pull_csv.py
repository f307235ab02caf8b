"""Rows of CSV: how it is written is found out or said, and what does not fit is told by its line."""

import gzip
from functools import partial
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from badgerjobs.lib import csv_texts
from tests.e2e.receiver import Answer, Call
from tests.in_turn import in_turn
from tests.sources.fetching import says, source_of
from tests.sources.pulling import Pulled, fails, pulled_from

TABLE = 'id,name,price,paid\n1,"Lamp, ""big""",10.5,true\n2,Desk,20,FALSE\n3,,,\n'
ROWS = [
    {"id": 1, "name": 'Lamp, "big"', "price": 10.5, "paid": True},
    {"id": 2, "name": "Desk", "price": 20, "paid": False},
    {"id": 3, "name": "", "price": None, "paid": None},
]


def read(body: str | bytes, **configuration: Any) -> Pulled:
    came, _ = pulled_from(lambda _: says(body, 200, ("Content-Type", "text/csv")), "CSV", **configuration)
    return came


def test_what_is_not_said_is_found_out_and_shown() -> None:
    came = read(TABLE)
    assert came.rows == ROWS
    assert came.found == {
        "delimiter": ",",
        "encoding": "utf-8",
        "types": {"id": "integer", "name": "text", "price": "number", "paid": "boolean"},
    }


@in_turn("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(mark: str) -> None:
    came = read(f'a{mark}b{mark}c\n1{mark}"x, y; z\t|{mark}"{mark}3\n2{mark}z{mark}4\n')
    assert (came.found["delimiter"], came.rows[0]) == (mark, {"a": 1, "b": f"x, y; z\t|{mark}", "c": 3})


@in_turn(
    "body, encoding",
    [
        ("a\nü".encode(), "utf-8"),
        ("a\nü".encode("utf-8-sig"), "utf-8-sig"),
        ("a\nü".encode("utf-16"), "utf-16"),
        ("a\nü".encode("cp1252"), "cp1252"),
        (gzip.compress("a\nü".encode("cp1252")), "cp1252"),
    ],
)
def test_the_encoding_is_found_out(body: bytes, encoding: str) -> None:
    came = read(body)
    assert (came.rows, came.found["encoding"]) == ([{"a": "ü"}], encoding)


@in_turn(
    "cells, kind, values",
    [
        (["1", "-2", "+3", ""], "integer", [1, -2, 3, None]),
        (["1", "2.50", "1e3"], "number", [1, 2.5, 1000.0]),
        (["007", "1"], "text", ["007", "1"]),
        (["1234567890123456"], "text", ["1234567890123456"]),
        (["1e999"], "text", ["1e999"]),
        (["NaN", "1"], "text", ["NaN", "1"]),
        (["٣"], "text", ["٣"]),
        (["true", "False"], "boolean", [True, False]),
        (["", ""], "text", ["", ""]),
        (["2026-01-01"], "text", ["2026-01-01"]),
    ],
)
def test_types_are_found_out(cells: list[str], kind: str, values: list[Any]) -> None:
    came = read("\n".join(["id,x", *(f"a,{cell}" for cell in cells)]))
    assert (came.found["types"]["x"], [row["x"] for row in came.rows]) == (kind, values)


@in_turn(
    "cells, values",
    [
        (["1.234,5", "12", "-0,25", ""], [1234.5, 12, -0.25, None]),
        (["1.234.567", "1.234"], [1234567, 1234]),
        (["1,5e3", "2"], [1500.0, 2]),
        (["1,234.5", "1,234", "7"], [1234.5, 1234, 7]),
        (["1,234,567", "1,234"], [1234567, 1234]),
        (["0.125", "1.234"], [0.125, 1.234]),
        (["1.5", "1,5"], ["1.5", "1,5"]),
        (["1.234", "12"], ["1.234", "12"]),
        (["1,234", "12"], ["1,234", "12"]),
        (["1,23,456"], ["1,23,456"]),
        (["0.123,5"], ["0.123,5"]),
        (["12.34,5"], ["12.34,5"]),
        (["1234,5", "1.234,5"], [1234.5, 1234.5]),
        (["1234.567,5"], ["1234.567,5"]),
        (["1.234.567.890.123,5"], [1234567890123.5]),
        (["1.234.567.890.123.456"], ["1.234.567.890.123.456"]),
    ],
)
def test_the_decimal_mark_of_each_column_is_found_out_and_never_guessed(cells: list[str], values: list[Any]) -> None:
    came = read("\n".join(["id;x", *(f"a;{cell}" for cell in cells)]))
    assert [row["x"] for row in came.rows] == values


def test_what_could_be_either_of_two_numbers_is_told() -> None:
    came = read("a;b;c\n1,5;1.234;0.5\n")
    assert came.rows == [{"a": 1.5, "b": "1.234", "c": 0.5}]
    assert (came.found["decimal"], came.found["ambiguous"]) == ({"a": ",", "c": "."}, ["b"])


@in_turn(
    "decimal, types, values",
    [
        ("comma", {}, [1234, 1.5, 1.234, 7]),
        ("dot", {}, [1.234, "1,5", 1234, 7]),
        ("comma", {"a": "integer", "c": "number"}, [1234, 1.5, 1.234, 7]),
        ("auto", {}, ["1.234", 1.5, "1,234", 7]),
        ("auto", {"b": "number", "d": "number"}, ["1.234", 1.5, "1,234", 7]),
        ("auto", {"b": "text"}, ["1.234", "1,5", "1,234", 7]),
    ],
)
def test_the_decimal_mark_may_be_said(decimal: str, types: dict[str, str], values: list[Any]) -> None:
    [row] = read("a;b;c;d\n1.234;1,5;1,234;7\n", decimal=decimal, types=types).rows
    assert list(row.values()) == values


def test_a_number_that_could_be_either_of_two_fails_where_its_column_is_said_to_have_numbers() -> None:
    error = fails(lambda _: says("a\n1.234\n"), "CSV", types={"a": "number"})
    assert error.sentence == (
        "Line 2: what stands in the column “a” is no number, as its type says. It could be either of two: say what "
        "stands before a fraction (`decimal`)."
    )


def test_between_commas_a_comma_is_no_decimal_mark_unless_it_is_said() -> None:
    table = 'a,b\n"1,5",1.5\n"2,5",2.5\n'
    came = read(table)
    assert (came.rows[0], came.found["ambiguous"]) == ({"a": "1,5", "b": 1.5}, ["a"])
    assert read(table, decimal="comma").rows[0] == {"a": 1.5, "b": "1.5"}


def test_a_late_number_that_could_be_either_of_two_stays_a_text() -> None:
    came = read("id;x\n" + "".join(f"{place};{place}\n" for place in range(20_000)) + "20000;1.234\n")
    assert came.rows[-1] == {"id": 20000, "x": "1.234"}


def test_what_is_said_is_not_found_out() -> None:
    given = {"delimiter": "semicolon", "encoding": "CP1252", "header": False, "types": {"column_1": "text"}}
    came = read("7;1,5\r\n8;x\r\n", **given)
    assert came.rows == [{"column_1": "7", "column_2": "1,5"}, {"column_1": "8", "column_2": "x"}]


def test_a_late_value_of_another_type_stays_as_it_is() -> None:
    body = "id,x\n" + "".join(f"{place},{place}\n" for place in range(20_000)) + "20000,late\n"
    came = read(body)
    assert (came.found["types"]["x"], came.rows[-2:]) == (
        "integer",
        [{"id": 19999, "x": 19999}, {"id": 20000, "x": "late"}],
    )
    error = fails(lambda _: says(body), "CSV", types={"x": "integer"})
    assert (error.error_class, error.retry) == ("csv", False)
    assert error.sentence == "Line 20,002: what stands in the column “x” is no integer, as its type says."


@in_turn(
    "body, rows",
    [
        ("", []),
        ("\n\n", []),
        ("a,b\n", []),
        ("a,b", []),
        ("a\n\n1\n\n", [{"a": 1}]),
        ("a,b\r1,2\r", [{"a": 1, "b": 2}]),
        ("a,b\r\n1,2", [{"a": 1, "b": 2}]),
        ('a,b\n"1\n\n2",x\n', [{"a": "1\n\n2", "b": "x"}]),
        ("a,a,,a_2\n1,2,3,4\n", [{"a": 1, "a_2": 2, "column_3": 3, "a_2_2": 4}]),
        ("__proto__,b\n1,2\n", [{"__proto__": 1, "b": 2}]),
        ("a,b\nx\0y,2\n", [{"a": "x\ufffdy", "b": 2}]),
        ('size,b\n5" pipe,2\n', [{"size": '5" pipe', "b": 2}]),
        ("a,b\nx\u2028y,\x0b\x85\n", [{"a": "x\u2028y", "b": "\x0b\x85"}]),
    ],
)
def test_odd_tables_are_read(body: str, rows: list[Any]) -> None:
    assert read(body).rows == rows


def test_a_cell_of_five_megabytes_is_passed_on() -> None:
    long = "twelve signs\n" * 400_000
    assert read(f'a,b\n1,"{long}"\n2,y\n').rows == [{"a": "1", "b": long}, {"a": "2", "b": "y"}]


@in_turn(
    "body, sentence",
    [
        ("a,b\n1,2\n1,2,3\n", "Line 3 has 3 cells, and there are 2 columns."),
        ('a,b\n"1\n2",2\n\n1\n', "Line 5 has 1 cells, and there are 2 columns."),
        ('a,b\n1,2\n1,"open\n2,3\n', "Line 3 is no CSV: a quote in it is never closed."),
        ("a" + ",a" * 5000 + "\n", "The file has 5,001 columns: 5,000 are read at most."),
    ],
)
def test_what_is_wrong_is_told_by_its_line(body: str, sentence: str) -> None:
    error = fails(lambda _: says(body), "CSV")
    assert (error.error_class, error.retry) == ("csv", False)
    assert error.sentence.startswith(sentence)


def test_a_record_that_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_texts, "LONGEST", 50_000)
    for body in ('a\n"' + "x\n" * 100_000, "a\n1\n" + "x" * 200_000):
        error = fails(partial(_same, says(body)), "CSV")
        assert "longer than 0 MB or 1,000,000 lines, or a quote in it is never closed" in error.sentence


def test_a_record_of_more_lines_than_can_be_kept_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_texts, "MOST_LINES", 5_000)
    error = fails(partial(_same, says('a\n"' + "\n" * 200_000 + '"\n')), "CSV")
    assert "longer than 16 MB or 5,000 lines" in error.sentence


def _same(answer: Answer, _: Call) -> Answer:
    return answer


def test_ragged_lines_may_be_filled_and_cut() -> None:
    assert read("a,b\n1\n2,x,3\n", ragged="fit").rows == [{"a": 1, "b": None}, {"a": 2, "b": "x"}]


def test_bytes_that_are_none_of_the_encoding_are_told() -> None:
    body = b"a\n" + b"x" * 70_000 + b"\n\xff\n"
    error = fails(lambda _: says(body), "CSV")
    assert (error.error_class, error.retry) == ("encoding", False)
    assert "not written in utf-8" in error.sentence
    error = fails(lambda _: says(b"a\n\xff"), "CSV", encoding="ascii")
    assert "not written in ascii" in error.sentence


def test_a_type_for_a_column_that_is_not_there_is_told() -> None:
    error = fails(lambda _: says(TABLE), "CSV", types={"prize": "number"})
    assert error.sentence == "The file has no column “prize”, for which a type is given."


def test_an_answer_that_is_not_good_is_told() -> None:
    error = fails(lambda _: Answer(500, body=b"no"), "CSV")
    assert (error.error_class, error.status) == ("status", 500)


@in_turn(
    "given, field",
    [
        ({"delimiter": "x"}, "delimiter"),
        ({"encoding": "rot13"}, "encoding"),
        ({"encoding": "klingon"}, "encoding"),
        ({"types": {"a": "date"}}, "types"),
        ({"ragged": "maybe"}, "ragged"),
        ({"decimal": "point"}, "decimal"),
        ({"transform": "return 1"}, "transform"),
    ],
)
def test_what_cannot_be_read_is_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        source_of("CSV", url="https://example.com", **given)
    assert set(caught.value.detail["configuration"]) == {field}  # type: ignore[call-overload]
