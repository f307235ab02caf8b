"""SQL with placeholders: always parameters, never text."""

import re
from typing import Any

import pytest

from badgerjobs.lib.handlebars import TemplateError
from badgerjobs.servers import statements
from badgerjobs.servers.postgresql import mark
from badgerjobs.servers.statements import bound, line_and_column, read

VALUES = {"input": {"id": 7, "name": "x'); DROP TABLE users; --"}}


@pytest.mark.parametrize(
    ("text", "sent", "paths"),
    [
        ("SELECT 1", "SELECT 1", []),
        ("SELECT {{input.id}}", "SELECT $1", ["input.id"]),
        ("SELECT %(id)s, {{input.name}}, %(id)s", "SELECT $1, $2, $1", ["parameters.id", "input.name"]),
        ("SELECT 'a%b' LIKE '100%' -- {{no}} don't", "SELECT 'a%b' LIKE '100%' -- {{no}} don't", []),
        ("SELECT /* %(no)s */ 5 % 2", "SELECT /* %(no)s */ 5 % 2", []),
        ("SELECT $$it's$$, {{input.id}}", "SELECT $$it's$$, $1", ["input.id"]),
    ],
)
def test_each_placeholder_is_a_parameter(text: str, sent: str, paths: list[str]) -> None:
    statement = read(text)
    assert (statement.written(mark), statement.names) == (sent, paths)


def test_a_parameter_is_taken_from_the_parameters_then_from_the_input() -> None:
    statement = read("SELECT %(id)s, %(name)s")
    assert bound(statement, VALUES, {"id": 9}) == [9, "x'); DROP TABLE users; --"]


def test_a_parameter_that_nobody_gave_is_named() -> None:
    with pytest.raises(TemplateError, match=r"There is no parameters\.nme: parameters has id, name\."):
        bound(read("SELECT %(nme)s"), VALUES, {})


@pytest.mark.parametrize(
    "text", ["SELECT '{{input.id}}'", 'SELECT "{{input.id}}"', "SELECT '%(id)s'", "SELECT $$ {{input.id}} $$"]
)
def test_a_placeholder_in_quotes_is_refused(text: str) -> None:
    with pytest.raises(TemplateError, match="stands in quotes: leave them out"):
        read(text)


def test_what_is_no_placeholder_is_refused() -> None:
    with pytest.raises(TemplateError, match="is no placeholder"):
        read("SELECT {{input.id")


def test_a_place_of_what_was_sent_is_found_in_what_was_written() -> None:
    text = "SELECT {{input.id}},\n  {{input.name}} FORM x"
    statement = read(text)
    sent = statement.written(mark)
    for word in ("SELECT", ",", "FORM", "x"):
        assert statement.place_of(sent.index(word), mark) == text.index(word), word
    assert line_and_column(text, text.index("FORM")) == "line 2, column 18"


@pytest.mark.parametrize(
    ("text", "sent", "paths"),
    [
        ("SELECT 'it''s', {{a}}", "SELECT 'it''s', $1", ["a"]),
        ("SELECT 'a''b, {{a}}", "SELECT 'a''b, $1", ["a"]),
        ("SELECT $a$ $b$ $$ $a$, {{a}}", "SELECT $a$ $b$ $$ $a$, $1", ["a"]),
        ("SELECT $a$b$, $b$ {{a}}", "SELECT $a$b$, $b$ $1", ["a"]),
        ("SELECT /* {{a}}", "SELECT /* $1", ["a"]),
        ("SELECT /*/ {{no}} */ {{a}}", "SELECT /*/ {{no}} */ $1", ["a"]),
    ],
    ids=["doubled", "open quote", "tags", "shared sign", "open comment", "slash"],
)
def test_a_part_ends_where_the_database_ends_it(text: str, sent: str, paths: list[str]) -> None:
    statement = read(text)
    assert (statement.written(mark), statement.names) == (sent, paths)


class Text(str):
    """Counts the characters that are looked through for something."""

    looked_at = 0

    def find(self, sign: str, start: int = 0, *_: Any) -> int:  # type: ignore[override]
        found = super().find(sign, start)
        self.looked_at += (len(self) if found < 0 else found) - start
        return found


class Pattern:
    """The same for a pattern, which adds to the text's."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern

    def search(self, text: Text, start: int, end: int | None = None) -> re.Match[str] | None:
        end = len(text) if end is None else end
        found = self._pattern.search(text, start, end)
        text.looked_at += (found.end() if found else end) - start
        return found

    def finditer(self, text: Text) -> Any:
        text.looked_at += len(text)
        return self._pattern.finditer(text)


@pytest.mark.parametrize(
    "text",
    [
        " ".join(f"$a{n}$" for n in range(14_000)),
        "$a" * 50_000,
        "/* " * 33_000,
        "'\"" * 50_000,
        "".join(f"{{{{a{n}}}}}" for n in range(12_000)),
    ],
    ids=["tags", "dollars", "comments", "quotes", "paths"],
)
def test_each_part_of_the_longest_statement_is_looked_through_a_few_times_at_most(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is read again for each part that stays open grows with the square of the length: seconds of the processor.
    for name in ("TOKEN", "DOLLARS", "INNER"):
        monkeypatch.setattr(statements, name, Pattern(getattr(statements, name)))
    given = Text(text)
    read(given)
    assert given.looked_at <= 4 * len(given)


def test_a_place_is_found_with_one_mark_for_each_parameter() -> None:
    marks = 0

    def marking(number: int) -> str:
        nonlocal marks
        marks += 1
        return mark(number)

    statement = read("".join(f"{{{{a{n}}}}}" for n in range(12_000)))
    statement.place_of(len(statement.written(marking)), marking)
    assert marks == 2 * 12_000


def test_what_is_bound_has_a_limit_in_all() -> None:
    values = {"input": {"a": {"b": "x" * 400}}}
    assert len(bound(read("SELECT {{input.a}}, {{input.a}}"), values, {}, most=500)) == 1
    with pytest.raises(TemplateError, match="what is bound is longer than 500 characters"):
        bound(read("SELECT {{input.a}}, {{input.a.b}}"), values, {}, most=500)
