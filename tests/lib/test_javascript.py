"""Bodies as people write them: what they are given, what they give back, where an error is."""

import asyncio
import json
import threading
from typing import Any

import pytest

from badgerjobs.lib import javascript
from badgerjobs.lib.javascript import Line, Result
from badgerjobs.lib.javascript.host import Call, Host, own
from badgerjobs.lib.javascript.results import Limits, refused


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


@pytest.mark.parametrize(
    ("thrown", "said"),
    [
        ("1", "threw 1"), ("null", "threw null"), ("undefined", "threw undefined"), ("'words'", "threw words"),
        ("{a: 1}", 'threw {"a":1}'), ("''", "The code threw something that says nothing."),
        ("new Error('words')", "Error: words (line 1, column 7)"),
    ],
)  # fmt: skip
def test_what_was_thrown_and_is_no_error_is_said_to_be_thrown(thrown: str, said: str) -> None:
    assert str(run(f"throw {thrown}").error) == said


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


class Stuck:
    """A host whose keeper takes nothing and does not end, until somebody on the loop has gone on meanwhile."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gone_on = threading.Event()

    def submit(self, made: Call, **_: object) -> None:
        made.result.set_running_or_notify_cancel()
        self._take_long("submit")

    def close(self, *, kill: bool) -> None:
        assert kill
        self._take_long("close")

    def _take_long(self, name: str) -> None:
        self.asked.append(name)
        self.gone_on.clear()
        assert self.gone_on.wait(20), "the loop was held up"


def test_a_keeper_that_is_stuck_does_not_hold_up_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = Stuck()
    monkeypatch.setattr(own, "host", stuck)
    monkeypatch.setattr(javascript, "WAIT_S", 0)
    monkeypatch.setattr(javascript, "_LATE_S", 0.05)
    monkeypatch.setattr(javascript, "_LAST_S", 0)

    async def go_on() -> Result:
        asked = asyncio.ensure_future(javascript.arun("return 1", {}, tenant="alice", timeout_s=0))
        while not asked.done():
            stuck.gone_on.set()
            await asyncio.sleep(0)
        return await asked

    error = asyncio.run(go_on()).error
    assert error
    assert (error.word, stuck.asked) == ("unavailable", ["submit", "close"])


def test_who_gives_up_while_a_call_is_handed_over_leaves_nothing_in_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    handed_over = Host(0)
    begun, goes_on = threading.Event(), threading.Event()
    taken: list[Call] = []

    def submit(made: Call, **_: object) -> None:
        taken.append(made)
        begun.set()
        assert goes_on.wait(20)

    monkeypatch.setattr(handed_over, "submit", submit)
    monkeypatch.setattr(own, "host", handed_over)

    async def give_up() -> None:
        asked = asyncio.ensure_future(javascript.arun("return 1", {}, tenant="alice"))
        await asyncio.to_thread(begun.wait, 20)
        asked.cancel()
        await asyncio.wait([asked])
        goes_on.set()

    asyncio.run(give_up())
    assert taken[0].result.cancelled()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return await input.a", None),
        ("while (true) {}", None),
        ("throw new Error('it is not run')", None),
        ("", None),
        ("return {\n  a: 1,,\n}", "SyntaxError: Unexpected token ',' (line 2, column 8)"),
        ("return {", "SyntaxError: The code ends too early: something is not closed. (line 1, column 9)"),
        ("let run", "SyntaxError: Identifier 'run' has already been declared (line 1, column 5)"),
        ("x" * (javascript.BODY_BYTES + 1), "The code is longer than 256 KB."),
    ],
    ids=["right", "endless", "throws", "empty", "comma", "open", "argument", "long"],
)
def test_what_does_not_compile_is_told_without_running_it(body: str, said: str | None) -> None:
    fault = javascript.fault(body, ("input", "run"), tenant="alice")
    assert (str(fault) if fault else None) == said


@pytest.mark.parametrize(("compiles", "error"), [(True, None), (False, "Error: it ran (line 1, column 7)")])
def test_what_is_only_compiled_is_not_run(compiles: bool, error: str | None) -> None:
    limits = Limits(5, javascript.MEMORY_BYTES, javascript.OUTPUT_BYTES)
    call = javascript._call("throw new Error('it ran')", {}, limits, compiles=compiles)
    assert isinstance(call, Call)
    own.get().submit(call, tenant="alice")
    said = call.result.result().error
    assert (str(said) if said else None) == error


def test_where_nobody_can_tell_there_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Host, "submit", lambda _, call, **__: call.result.set_result(refused("busy", "Too much.")))
    assert javascript.fault("return {", ("input",), tenant="alice") is None
