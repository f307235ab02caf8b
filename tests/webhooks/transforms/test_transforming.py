"""What a hook's transform may return: variables, a verdict that nothing is to be done, or several acts."""

import asyncio
import json
from typing import Any

import pytest

from badgerjobs.lib import javascript
from badgerjobs.lib.heavy import Heavy
from badgerjobs.lib.javascript import Error, Line, Result
from webhooks.actions import MISSING
from webhooks.transforms.transforming import (
    NoRoomError,
    Returned,
    TransformError,
    Wanted,
    transformed,
    try_transform,
)

BODY = json.dumps({"category": {"id": 7}}).encode()


@pytest.fixture
def returns(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the sandbox return what the test says."""

    def let(value: Any = None, **more: Any) -> None:
        async def later(*_: Any, **__: Any) -> Result:
            return Result(value, **more)

        monkeypatch.setattr(javascript, "run", lambda *_, **__: Result(value, **more))
        monkeypatch.setattr(javascript, "arun", later)

    return let


def tried(raw: bytes = BODY) -> Returned:
    """What both ways of asking return, which is the same."""
    waited, later = try_transform("…", {}, raw, 1), asyncio.run(transformed("…", {}, raw, 1))
    assert waited == later
    return later


IDS = {"ID": "7"}


@pytest.mark.parametrize(
    ("value", "returned"),
    [
        ({"variables": IDS}, Returned(IDS, acts=(Wanted(None, IDS),))),
        ({"variables": [["ID", 7]]}, Returned(IDS, acts=(Wanted(None, IDS),))),
        ({"variables": IDS, "value": None}, Returned(IDS, acts=(Wanted(None, IDS, None),))),
        ({"value": [1]}, Returned({}, acts=(Wanted(None, {}, [1]),))),
        ({"variables": IDS, "filtered": False}, Returned(IDS, acts=(Wanted(None, IDS),))),
        ({"variables": IDS, "filtered": "a test"}, Returned(IDS, "a test")),
        ({"filtered": "x" * 400}, Returned({}, "x" * 300 + "…")),
        ({"filtered": True}, Returned({}, "The transform filtered it out.")),
        ({"filtered": ""}, Returned({}, "The transform filtered it out.")),
        ({"variables": IDS, "filtered": " "}, Returned(IDS, "The transform filtered it out.")),
        ({"variables": IDS, "filtered": None}, Returned(IDS, acts=(Wanted(None, IDS),))),
        (None, Returned({}, "The transform returned null.")),
        (False, Returned({}, "The transform returned false.")),
        ({"actions": []}, Returned({}, "The transform returned no actions.")),
        (
            {"actions": ["a", "a"]},
            Returned(
                {},
                acts=(
                    Wanted("a", {}),
                    Wanted("a", {}),
                ),
            ),
        ),
        (
            {"actions": [{"name": "a", "variables": {"ID": 8}}, {"name": "b", "value": 1}], "variables": [["X", 1]]},
            Returned(
                {"X": "1"},
                acts=(
                    Wanted("a", {"X": "1", "ID": "8"}),
                    Wanted("b", {"X": "1"}, 1),
                ),
            ),
        ),
        ({"actions": [{"name": "a"}], "value": 2}, Returned({}, acts=(Wanted("a", {}, 2),))),
    ],
)
def test_what_is_returned_says_what_is_done(returns: Any, value: Any, returned: Returned) -> None:
    returns(value)
    assert tried() == returned


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("text", "or null: it returned a text."),
        (7, "or null: it returned 7."),
        (True, "or null: it returned true."),
        ([], "or null: it returned a list."),
        ({"ID": 7}, "or null: it returned an object with ID."),
        ({"variables": None}, "there, `variables` is null."),
        ({"variables": {"ID": []}}, "The transform returned a list as ID: return a text or a number."),
        ({"filtered": 7}, "The transform returned `filtered` as 7: return why, or true."),
        ({"variables": IDS, "filtered": 0}, "The transform returned `filtered` as 0: return why, or true."),
        (
            {"filtered": None},
            "nothing but `filtered`, as null: return why, or true; or what is to be done, such as {variables: …}.",
        ),
        (
            {"filtered": False},
            "nothing but `filtered`, as false: return why, or true; or what is to be done, such as {variables: …}.",
        ),
        ({"actions": {}}, "as a list of {name, variables}: it returned an empty object."),
        ({"actions": [7]}, "Each of the `actions` must be {name, variables}: among them is 7."),
        ({"actions": [{"variables": {}}]}, "{name, variables}: among them is an object with variables."),
        ({"actions": [{"name": "a", "delay": 1}]}, "An action has a name, variables and a value, and no delay."),
        ({"actions": ["a"] * 101}, "The transform returned 101 actions: 100 may be done at once."),
    ],
)
def test_anything_else_is_refused_with_what_it_is(returns: Any, value: Any, said: str) -> None:
    line = Line("log", "here")
    returns(value, console=(line,))
    with pytest.raises(TransformError) as refused:
        tried()
    assert str(refused.value).endswith(said)
    assert refused.value.console == (line,)


def test_what_is_not_text_that_can_be_kept_is_replaced(returns: Any) -> None:
    returns({"variables": {"A\0": "\ud800"}})
    assert tried().variables == {"A\ufffd": "\ufffd"}


@pytest.mark.parametrize("word", ["busy", "unavailable", "crashed"])
def test_what_the_sandbox_has_no_room_for_is_nobodys_failure(returns: Any, word: Any) -> None:
    returns(error=Error(word, "Not now."))
    with pytest.raises(NoRoomError):
        try_transform("…", {}, BODY, 1)
    with pytest.raises(NoRoomError):
        asyncio.run(transformed("…", {}, BODY, 1))


def test_without_a_transform_all_actions_are_done_and_no_body_is_read() -> None:
    headers = {"content-type": "application/json"}
    everything = Returned(acts=(Wanted(None, {}, MISSING),))
    assert try_transform(" ", headers, b"{", 1) == asyncio.run(transformed("", headers, b"{", 1)) == everything


def test_a_body_that_cannot_be_read_is_an_error_of_the_transform() -> None:
    with pytest.raises(TransformError, match=r"The body is no JSON: Expecting property name.*"):
        try_transform("return null", {"Content-Type": "application/json"}, b"{", 1)


def test_nothing_returned_is_an_error_that_says_what_to_return() -> None:
    with pytest.raises(TransformError, match="it must end with return and a value"):
        try_transform("body.category", {}, BODY, 1)


@pytest.mark.parametrize(
    ("headers", "raw", "seen"),
    [
        ({"X-Topic": "a"}, BODY, {"body": {"category": {"id": 7}}, "topic": "a"}),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"a=1&a=2", {"body": {"a": ["1", "2"]}}),
        ({}, b"hello", {"body": "hello"}),
        ({}, b"", {"body": None}),
        ({}, b'["\\ud800"]', {"body": ["\ufffd"]}),
        ({}, json.dumps({"long": "x" * 20_000}).encode(), {"body": {"long": "x" * 20_000}}),
    ],
    ids=["JSON", "a form", "a text", "nothing", "half a letter", "long"],
)
def test_a_transform_sees_the_body_and_the_headers(headers: dict[str, str], raw: bytes, seen: dict[str, Any]) -> None:
    code = "return {variables: {}, value: {body, topic: headers['x-topic']}}"

    async def asked() -> Returned:
        heavy = Heavy()
        try:
            return await transformed(code, headers, raw, 1, heavy=heavy)
        finally:
            heavy.close()

    assert asyncio.run(asked()).acts[0].value == seen
