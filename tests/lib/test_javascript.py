"""Bodies as people write them: what they are given, what they give back, where an error is."""

import asyncio
import json
from typing import Any

import pytest

from badgerjobs.lib import javascript
from badgerjobs.lib.javascript import Line, Result


def run(body: str, **arguments: Any) -> Result:
    return javascript.run(body, arguments, tenant="alice", timeout_s=5)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1.5,
        2**40,
        "",
        "é€😀\u2028\0</script>",
        [],
        [1, [2]],
        {"a": {"b": [None]}, "__proto__": 1, "é": "\"'`${x}"},
    ],
    ids=lambda value: json.dumps(value)[:20],
)
def test_json_goes_in_and_comes_out_unchanged(value: Any) -> None:
    assert run("return input", input=value).value == value


def test_arguments_have_their_names() -> None:
    assert run("return $first + _second2", **{"$first": 1, "_second2": 2}).value == 3


@pytest.mark.parametrize("name", ["", "a b", "a,b", "1a", "a\n", "a=1", "}", "é"])
def test_what_cannot_be_a_name_is_refused_as_a_mistake_of_ours(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        javascript.run("return 1", {name: 1}, tenant="alice")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()], ids=["nan", "inf", "object"])
def test_what_is_not_json_is_refused_as_a_mistake_of_ours(value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        run("return 1", input=value)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("return await 5", 5),
        ("return Promise.resolve({a: 1})", {"a": 1}),
        ("const all = await Promise.all([1, 2].map(async n => n * 2)); return all", [2, 4]),
        ("return new Date(0)", "1970-01-01T00:00:00.000Z"),
        ("return new Date(2026, 6, 1).getTimezoneOffset()", 0),
        ("return {a: undefined, b: NaN, c: () => 1}", {"b": None}),
        ("return new Intl.NumberFormat('de').format(1234.5)", "1.234,5"),
        ("return 'İ'.normalize('NFD').length", 2),
        ("return [...'a-b'.matchAll(/(?<x>[ab])/g)].map(m => m.groups.x)", ["a", "b"]),
        ("return structured(1); function structured(x) { return {x} }", {"x": 1}),
        ("return null", None),
    ],
)
def test_a_body_is_the_inside_of_an_async_function(body: str, value: Any) -> None:
    result = run(body)
    assert (result.error, result.value) == (None, value)


@pytest.mark.parametrize(
    ("body", "word", "name", "line", "column"),
    [
        ("null.x", "thrown", "TypeError", 1, 6),
        ("const a = 1;\n\n  a.b.c", "thrown", "TypeError", 3, 7),
        ("\r\n  throw new RangeError('far')", "thrown", "RangeError", 2, 9),
        ("[1].map(() => {\n  none })", "thrown", "ReferenceError", 2, 3),
        ("await null;\nawait (async () => { throw new Error('x') })()", "thrown", "Error", 2, 28),
        ("\n\n  let y = ;", "syntax", "SyntaxError", 3, 11),
        ("return 'abc", "syntax", "SyntaxError", 1, 8),
        ("if (true) {\n  return 1\n", "syntax", "SyntaxError", 3, 1),
        ("throw 'words'", "thrown", "", None, None),
        ("class Mine extends Error { name = 'Mine' }\nthrow new Mine('x')", "thrown", "Mine", 2, 7),
    ],
)
def test_an_error_says_where_in_the_body_it_is(
    body: str, word: str, name: str, line: int | None, column: int | None
) -> None:
    error = run(body).error
    assert error
    assert (error.word, error.name, error.line, error.column) == (word, name, line, column)


def test_an_error_reads_as_a_sentence_with_its_place() -> None:
    assert str(run("null.x").error) == "TypeError: Cannot read properties of null (reading 'x') (line 1, column 6)"


def test_the_console_is_kept_also_when_the_body_throws() -> None:
    result = run("console.log('a', {b: 1}, [2], 3); console.warn(new Error('x')); console.error(undefined); null.x")
    assert result.console == (Line("log", 'a {"b":1} [2] 3'), Line("warn", "Error: x"), Line("error", "undefined"))
    assert result.error


def test_the_console_is_bounded_and_says_how_much_it_left_out() -> None:
    result = run("for (let i = 0; i < 3000; i++) console.info(i)")
    assert (len(result.console), result.dropped) == (1000, 2000)
    result = run("for (let i = 0; i < 100; i++) console.debug('x'.repeat(1e5))")
    assert 0 < sum(len(line.text) for line in result.console) < 70_000
    assert len(result.console) + result.dropped == 100


def test_calls_know_nothing_of_each_other() -> None:
    assert run("globalThis.kept = 1; Array.prototype.map = null; return 1").value == 1
    assert run("return [typeof kept, [1].map(x => x)]").value == ["undefined", [1]]


def test_chance_differs_between_calls() -> None:
    assert len({run("return Math.random()").value for _ in range(4)}) == 4


@pytest.mark.parametrize(
    ("body", "given", "says"),
    [("/*" + "x" * 300_000 + "*/ return 1", 1, "256 KB"), ("return 1", "x" * 5_000_000, "4 MB")],
    ids=["body", "arguments"],
)
def test_what_is_too_long_is_not_even_sent(body: str, given: Any, says: str) -> None:
    error = run(body, given=given).error
    assert error
    assert (error.word, says in error.message) == ("input", True)


def test_as_much_as_may_come_in_does() -> None:
    given = ['"é' * 40_000] * 8
    assert run("return given[7].length", given=given).value == 80_000


@pytest.mark.parametrize(("length", "word"), [(998, None), (999, "output")])
def test_output_is_measured_in_bytes_of_json(length: int, word: str | None) -> None:
    result = javascript.run(
        "return 'x'.repeat(length)", {"length": length}, tenant="alice", timeout_s=5, output_bytes=1000
    )
    assert (result.error and result.error.word) == word


def test_on_a_loop_many_may_wait_at_once() -> None:
    async def all_of_them() -> list[Result]:
        calls = [javascript.arun("return n * n", {"n": n}, tenant=n % 7, timeout_s=5) for n in range(60)]
        return await asyncio.gather(*calls)

    assert [result.value for result in asyncio.run(all_of_them())] == [n * n for n in range(60)]
