"""A function: what it sees, what it returns, and where it went wrong."""

from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from badgerjobs.lib import javascript
from badgerjobs.runs.outcomes import Done, Failed
from tests.jobs.events.performing import OWNER, RUN, WORKSPACE, done, failed, perform


def test_it_sees_its_input_and_returns_a_value() -> None:
    code = "console.log('at', run.id); return {total: input.prices.reduce((a, b) => a + b, 0)}"
    outcome = perform("FUNCTION", {"code": code}, None, {"prices": [1, 2, 3]})
    assert done(outcome) == {"value": {"total": 6}, "console": [{"level": "log", "text": f"at {RUN}"}]}
    assert isinstance(outcome, Done)
    assert outcome.output == {"total": 6}


@pytest.mark.parametrize(
    ("code", "error_class", "sentence", "retry"),
    [
        ("\nthrow new TypeError('no price')", "script", "TypeError: no price (line 2, column 7)", False),
        ("return 1 +;", "script", "SyntaxError: ", False),
        ("while (true) {}", "timeout", "The body was stopped after 100 ms.", True),
        ("return 'x'.repeat(300000)", "script", "The returned value is longer than 262,144 bytes of JSON.", False),
        ("const a = input.none.x", "script", "TypeError: ", False),
    ],
    ids=["thrown", "syntax", "endless", "long", "type"],
)
def test_what_went_wrong_is_told_with_its_line(code: str, error_class: str, sentence: str, retry: bool) -> None:
    said = failed(perform("FUNCTION", {"code": code, "timeout_ms": 100}, None, {}))
    assert (said[0], said[2]) == (error_class, retry)
    assert sentence in said[1]


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
