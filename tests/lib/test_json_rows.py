"""Rows out of JSON that comes in pieces, however it is cut; and what is wrong with it, told with its place."""

import json
from typing import Any

import pytest

from badgerjobs.lib.json_lines import JSONLines
from badgerjobs.lib.json_paths import PathError, first_at, found_at, parse
from badgerjobs.lib.json_rows import JSONRows
from badgerjobs.lib.json_texts import LONGEST, JSONFaultError
from tests.in_turn import in_turn

DOCUMENT = {
    "data": {"name": "shop", "items": [{"id": 1, "tags": ["a", "]"]}, {"id": 2.5e3, "text": '"}\\ü'}], "more": True},
    "next": "abc",
}
BARE = {"data": {"name": "shop", "items": [], "more": True}, "next": "abc"}


def read(text: str, path: str, piece: int = 10_000) -> tuple[list[Any], JSONRows]:
    document = JSONRows(parse(path))
    rows: list[Any] = []
    for start in range(0, len(text), piece):
        rows += document.feed(text[start : start + piece])[0]
    return rows + document.end()[0], document


def feed_all(reader: JSONRows | JSONLines, pieces: list[str]) -> None:
    for piece in pieces:
        reader.feed(piece)
    reader.end()


@in_turn("indent, piece", [(indent, piece) for indent in (None, 2) for piece in (1, 2, 3, 7, 11, 1000)])
def test_rows_come_out_however_the_text_is_cut(indent: int | None, piece: int) -> None:
    rows, document = read(json.dumps(DOCUMENT, indent=indent), "$.data.items[*]", piece)
    assert rows == DOCUMENT["data"]["items"]  # type: ignore[index]
    assert (document.rest, document.is_found) == (BARE, True)


@in_turn(
    "text, path, rows",
    [
        ("[1, 2, [3]]", "$", [1, 2, [3]]),
        ("[1, 2, 3]", "$[*]", [1, 2, 3]),
        ("[]", "$", []),
        ("{}", "$", [{}]),
        ('{"a": 1}', "", [{"a": 1}]),
        ("null", "$", []),
        (" 12 ", "$", [12]),
        ('{"a": null}', "$.a", []),
        ('{"a": null}', "$.a[*]", []),
        ('{"a": {"b": 1}}', "a", [{"b": 1}]),
        ('{"a": [{"b": [1, 2]}, {"b": []}, {"c": 1}, {"b": [3]}]}', "$.a[*].b[*]", [1, 2, 3]),
        ('{"a": [{"n": {"x": 1}}, {"n": {"x": 2}}]}', "$.a[*].n", [{"x": 1}, {"x": 2}]),
        ('[{"a": [0]}, {"a": [1, 2]}, {"a": [3]}]', "$[1].a", [1, 2]),
        ('{"a b": {"it\'s": [1]}}', "$['a b'][\"it's\"]", [1]),
        ('{"__proto__": [{"__proto__": 1}]}', "$.__proto__", [{"__proto__": 1}]),
        ('["\\ud800", "\\u0000", "\\ud83d\\ude00"]', "$", ["\ufffd", "\ufffd", "😀"]),
    ],
)
def test_a_path_leads_to_rows(text: str, path: str, rows: list[Any]) -> None:
    for piece in (1, 5, 1000):
        found, document = read(text, path, piece)
        assert (found, document.is_found) == (rows, True)


@in_turn(
    "text, path", [('{"a": 1}', "$.b"), ('{"a": 1}', "$.a[*]"), ("[]", "$.a"), ("[1]", "$[3]"), ('{"a": 1}', "$[0]")]
)
def test_a_path_that_leads_nowhere_is_not_found(text: str, path: str) -> None:
    rows, document = read(text, path, 2)
    assert (rows, document.is_found) == ([], False)


@in_turn(
    "text, clause",
    [
        ("", "it is empty"),
        ("  \n", "it is empty"),
        ('[{"a": 1}, {"a"', "it ends in the middle"),
        ('[{"a": 1},', "it ends in the middle"),
        ('[{"a": 1}', "it ends in the middle"),
        ('[{"a": "x', "it ends in the middle"),
        ("[1", "it ends in the middle"),
        ("[1] x", "something follows after its end"),
        ("[1 2]", "a comma or ] should stand here"),
        ('[{"a" 1}, {"b": 2}, {"b": 2}, {"b": 2}]', "expecting ':' delimiter"),
        ("[NaN]", "a number in it is none, or is larger than can be kept"),
        ("[1.x, 2, 3, 4, 5, 6, 7]", "a comma or ] should stand here"),
        ("[1e999]", "a number in it is none, or is larger than can be kept"),
        (f"[{'9' * 5000}]", "a number in it is none, or is larger than can be kept"),
        (f"[{'9' * 309}]", "a number in it is none, or is larger than can be kept"),
        (f"[{'[' * 200}{']' * 200}]", "it is nested more than 100 levels deep"),
        (f"[{'[' * 100_000}", "it is nested more than 100 levels deep"),
        ("<html>", "there is no value where one should be"),
    ],
)
def test_what_is_wrong_is_said(text: str, clause: str) -> None:
    for piece in (3, 100_000):
        with pytest.raises(JSONFaultError) as caught:
            read(text, "$", piece)
        assert caught.value.clause == clause


def test_a_fault_is_told_where_it_is_and_not_at_the_end() -> None:
    document = JSONRows(parse("$"))
    document.feed("[1, 2,\n")
    with pytest.raises(JSONFaultError) as caught:
        document.feed('{"a" 1}' + " " * 100)
    assert caught.value.at == 12


@in_turn("piece", [1, 6, 100])
def test_rows_before_a_fault_are_counted(piece: int) -> None:
    document = JSONRows(parse("$"))
    with pytest.raises(JSONFaultError):
        feed_all(document, _cut("[1, 2, 3, x, 4, 5, 6, 7, 8]" + " " * 20, piece))
    assert document.count == 3


def _cut(text: str, piece: int) -> list[str]:
    return [text[start : start + piece] for start in range(0, len(text), piece)]


def test_a_value_that_never_ends_is_not_waited_for() -> None:
    document = JSONRows(parse("$"))
    document.feed('["')
    with pytest.raises(JSONFaultError, match="longer than 16 MB"):
        feed_all(document, ["x" * 2**20] * 40)
    assert len(document._text) < 2 * LONGEST


def test_what_is_no_row_has_bounds_too() -> None:
    document = JSONRows(parse("$.rows"))
    document.feed("{")
    with pytest.raises(JSONFaultError, match="beside the rows"):
        feed_all(document, [f'"a{place}": "{"x" * 2**20}",' for place in range(40)])


@in_turn("rows, seen", [('[{"a": 1}, 2 , 3]', ['{"a": 1}', "2", "3"]), ('{"a": 1}', ['{"a": 1}']), ("[]", [])])
def test_the_text_of_rows_is_seen_and_of_nothing_else(rows: str, seen: list[str]) -> None:
    found: list[str] = []
    JSONRows(parse("$.a"), found.append).feed(f'{{"b": 1, "a": {rows}, "c": [2]}}')
    assert found == seen


@in_turn(
    "path", ["$a", "$.", "$..a", "$.a[", "$.a[?(@.b)]", "$.a[-1]", "$.a b.[x]", "a.'b'", "x" * 501, "$" + ".a" * 31]
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(PathError):
        parse(path)


def test_a_path_finds_values_in_what_is_read() -> None:
    assert found_at(DOCUMENT, parse("data.items[*].id")) == [1, 2500.0]
    assert first_at(DOCUMENT, parse("$.data.items[1].id")) == 2500.0
    assert first_at(DOCUMENT, parse("$.data.missing")) is None


def lines(text: str, piece: int = 1000) -> list[Any]:
    reader = JSONLines()
    rows = [row for start in range(0, len(text), piece) for row in reader.feed(text[start : start + piece])[0]]
    return rows + reader.end()[0]


@in_turn("piece", [1, 2, 3, 1000])
def test_each_line_is_a_row(piece: int) -> None:
    text = '{"a": 1}\n\n  {"a": "\u2028"}\t\r\n[1]\n"x"\r\n \n1\n{"__proto__": 2}'
    assert lines(text, piece) == [{"a": 1}, {"a": "\u2028"}, [1], "x", 1, {"__proto__": 2}]


@in_turn(
    "text, line, clause",
    [
        ('{"a": 1}\n{"a": \n', 2, "there is no value where one should be"),
        ('{"a": 1}\n\n{"a": 1', 3, "expecting ',' delimiter"),
        ("1 2\n", 1, "something follows after its value"),
        ('1\n{"a": 1e999}\n', 2, "a number in it is none, or is larger than can be kept"),
        ("1\n2\nNaN\n", 3, "a number in it is none, or is larger than can be kept"),
        ('{"a":[1\n,2]}\n', 1, "expecting ',' delimiter"),
        ("1\n<html>", 2, "there is no value where one should be"),
        ("1\n" + "[" * 200 + "]" * 200, 2, "it is nested more than 100 levels deep"),
    ],
)
def test_a_line_that_is_no_json_is_told_by_its_number(text: str, line: int, clause: str) -> None:
    reader = JSONLines()
    with pytest.raises(JSONFaultError) as caught:
        feed_all(reader, [text])
    assert (caught.value.clause, reader.line) == (clause, line)


def test_a_line_that_never_ends_is_not_waited_for() -> None:
    reader = JSONLines()
    reader.feed("1\n")
    with pytest.raises(JSONFaultError, match="longer than 16 MB"):
        feed_all(reader, ["x" * 2**20] * 40)
    assert reader.line == 2
