"""What a transform makes of an answer."""

from typing import Any

import pytest

from badgerjobs.lib import javascript
from badgerjobs.lib.javascript import Error, Line, Result
from badgerjobs.runs.outcomes import Later
from badgerjobs.sources.fetch import VALUE_BYTES
from tests.e2e.receiver import Receiver
from tests.sources.fetching import JSON, fetched, outcome, says, source_of, tried, unfetched


def test_it_sees_the_response_the_headers_and_the_variables() -> None:
    with Receiver() as receiver:
        receiver.answer = lambda _: says('{"price": 1.5}', 200, *JSON, ("X-A", "1"), ("X-A", "2"))
        code = "return {p: response.price * 2, a: headers['x-a'], id: variables.ID, none: variables.NONE}"
        source = source_of(url=f"{receiver.url}/{{{{ID}}}}", transform=code)
        body = fetched(source, {"ID": "7", "more": 1})
    assert body == '{"p":3,"a":"1, 2","id":"7"}'


def test_text_is_seen_as_text() -> None:
    with Receiver() as receiver:
        assert fetched(source_of(url=receiver.url, transform="return response + '!'")) == '"ok!"'


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("return response.a.b.c", "The transform failed: TypeError: "),
        ("throw new Error('no price')", "The transform failed: Error: no price (line 1, column 7)"),
        ("response", "The transform failed: "),
        (f"return 'x'.repeat({VALUE_BYTES})", "The transform failed: "),
    ],
    ids=["type", "thrown", "nothing", "too long"],
)
def test_what_goes_wrong_in_it_is_told_and_not_tried_again(code: str, sentence: str) -> None:
    with Receiver() as receiver:
        receiver.answer = lambda _: says("{}")
        came = unfetched(source_of(url=receiver.url, transform=code))
    assert (came.error_class, came.status, came.retry) == ("transform", 200, False)
    assert sentence in came.error


def test_what_it_wrote_is_there_also_when_it_fails() -> None:
    with Receiver() as receiver:
        [came] = tried(source_of(url=receiver.url, transform="console.log('a'); throw 1"))
    assert came.console == (Line("log", "a"),)
    assert came.answer
    assert came.reading
    assert (came.answer.body, came.reading.value) == (b"ok", "ok")


def test_what_postgresql_cannot_keep_is_replaced() -> None:
    with Receiver() as receiver:
        source = source_of(url=receiver.url, transform="return {['\\0']: '\\ud800', b: '\\u{1f600}'}")
        assert fetched(source) == '{"\ufffd":"\ufffd","b":"\U0001f600"}'


def test_a_number_that_javascript_cannot_be_given_is_told() -> None:
    with Receiver() as receiver:
        receiver.answer = lambda _: says("[1e400]")
        came = unfetched(source_of(url=receiver.url, transform="return response"))
    assert (came.error_class, "is larger than can be kept" in came.error) == ("json", True)


@pytest.mark.parametrize(
    ("word", "retry"), [("busy", None), ("crashed", True), ("unavailable", True), ("timeout", False)]
)
def test_the_sandboxs_own_trouble_is_not_the_codes(
    monkeypatch: pytest.MonkeyPatch, word: Any, retry: bool | None
) -> None:
    async def came(*_: Any, **__: Any) -> Result:
        return Result(error=Error(word, "No."))

    monkeypatch.setattr(javascript, "arun", came)
    with Receiver() as receiver:
        found = outcome(source_of(url=receiver.url, transform="return 1"))
    if retry is None:
        assert isinstance(found, Later)
        assert found.seconds > 0
    else:
        assert not isinstance(found, Later)
        assert (found.error_class, found.retry) == ("transform", retry)  # type: ignore[union-attr]  # no value
