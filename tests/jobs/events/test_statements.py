"""SQL with placeholders: always parameters, never text."""

import time

import pytest

from badgerjobs.lib.handlebars import TemplateError
from jobs.events.postgresql import mark
from jobs.events.statements import bound, line_and_column, read

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
def test_the_longest_statement_is_read_and_written_in_no_time(text: str) -> None:
    # What grows with the square of its length took six seconds of the processor and more; this takes some hundredths.
    began = time.process_time()
    statement = read(text)
    statement.place_of(len(statement.written(mark)), mark)
    assert time.process_time() - began < 3


def test_what_is_bound_has_a_limit_in_all() -> None:
    values = {"input": {"a": {"b": "x" * 400}}}
    assert len(bound(read("SELECT {{input.a}}, {{input.a}}"), values, {}, most=500)) == 1
    with pytest.raises(TemplateError, match="what is bound is longer than 500 characters"):
        bound(read("SELECT {{input.a}}, {{input.a.b}}"), values, {}, most=500)
