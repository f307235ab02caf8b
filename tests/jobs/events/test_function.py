"""A function: what it sees, what it returns, and where it went wrong."""

import asyncio
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from badgerjobs.lib import javascript
from badgerjobs.lib.javascript import host
from badgerjobs.lib.javascript.host import Host
from badgerjobs.runs.outcomes import Done, Failed, Later, Outcome
from jobs.events.means import open_means
from jobs.events.perform import performed
from tests.jobs.events.performing import OWNER, RUN, WORKSPACE, done, failed, occasion, perform


def test_it_sees_its_input_and_returns_a_value() -> None:
    code = "console.log('at', run.id); return {total: input.prices.reduce((a, b) => a + b, 0)}"
    outcome = perform("FUNCTION", {"code": code}, None, {"prices": [1, 2, 3]})
    assert done(outcome) == {"value": {"total": 6}, "console": [{"level": "log", "text": f"at {RUN}"}]}
    assert isinstance(outcome, Done)
    assert outcome.output == {"total": 6}


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("\nthrow new TypeError('no price')", "TypeError: no price (line 2, column 7)"),
        ("return 1 +;", "SyntaxError: "),
        ("return 'x'.repeat(300000)", "The returned value is longer than 262,144 bytes of JSON."),
        ("const a = input.none.x", "TypeError: "),
    ],
    ids=["thrown", "syntax", "long", "type"],
)
def test_what_went_wrong_is_told_with_its_line(code: str, sentence: str) -> None:
    error_class, said, retry = failed(perform("FUNCTION", {"code": code, "timeout_ms": 5000}, None, {}))
    assert (error_class, retry) == ("script", False)
    assert sentence in said


def test_what_never_ends_is_stopped_and_may_be_tried_again() -> None:
    error_class, sentence, retry = failed(perform("FUNCTION", {"code": "while (true) {}", "timeout_ms": 50}))
    assert (error_class, retry) == ("timeout", True)
    assert sentence.endswith(" was stopped after 50 ms.")


def test_what_the_sandbox_has_no_room_for_is_put_off_and_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd, places = 20, 3
    monkeypatch.setattr(host, "EACH_WAITING", places)
    sandboxes = Host(0)  # none yet: all of them wait, or are turned away
    monkeypatch.setattr(host.own, "host", sandboxes)

    async def all_of_them() -> list[Outcome]:
        what = occasion("FUNCTION", {"code": "return 1", "timeout_ms": 5000})
        async with open_means() as means:
            attempts = [asyncio.ensure_future(performed("FUNCTION", what, means)) for _ in range(crowd)]
            while sum(one.done() for one in attempts) < crowd - places:
                await asyncio.wait([one for one in attempts if not one.done()], return_when=asyncio.FIRST_COMPLETED)
            sandboxes.slots = 1
            await asyncio.to_thread(sandboxes._hand_out)
            return await asyncio.gather(*attempts)

    try:
        outcomes = asyncio.run(all_of_them())
    finally:
        sandboxes.close()
    put_off = [outcome for outcome in outcomes if isinstance(outcome, Later)]
    assert (len([outcome for outcome in outcomes if isinstance(outcome, Done)]), len(put_off)) == (
        places,
        crowd - places,
    )
    assert len({outcome.seconds for outcome in put_off}) == len(put_off)  # not all at once


def test_the_place_is_in_the_result_too() -> None:
    outcome = perform("FUNCTION", {"code": "\n  throw new Error('x')"}, None, None)
    assert isinstance(outcome, Failed)
    assert outcome.result
    assert outcome.result["error"] == {"word": "thrown", "line": 2, "column": 9}


def test_what_no_database_can_keep_is_replaced() -> None:
    outcome = perform("FUNCTION", {"code": r"return {['a\u0000']: ['\ud800b', 1]}"}, None, None)
    assert done(outcome)["value"] == {"a\ufffd": ["\ufffdb", 1]}


def test_without_code_there_is_nothing_to_do() -> None:
    with pytest.raises(ValidationError):
        perform("FUNCTION", {"code": ""})


def test_workspaces_take_turns_and_the_applications_of_one_its_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    async def arun(*_: Any, tenant: Any, part: Any, **__: Any) -> javascript.Result:
        seen.append((tenant, part))
        return javascript.Result()

    monkeypatch.setattr(javascript, "arun", arun)
    done(perform("FUNCTION", {"code": "return 1"}))
    assert seen == [(WORKSPACE, OWNER)]


@pytest.mark.parametrize(
    "code",
    [
        "return JSON.rawJSON('1e999')",
        "let a = []; for (let i = 0; i < 450; i++) a = [a]; return a",
        "return {toJSON() { throw '' }}",
    ],
    ids=["infinite", "deep", "empty throw"],
)
def test_what_cannot_be_kept_is_told_and_not_tried_again(code: str) -> None:
    error_class, _, retry = failed(perform("FUNCTION", {"code": code, "timeout_ms": 5000}))
    assert (error_class, retry) == ("script", False)
