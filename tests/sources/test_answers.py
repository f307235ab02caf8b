"""Answers as they are kept: JSON as it came, anything else as a text, and what is neither good nor small."""

import json
from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.runs.outcomes import Later
from badgerjobs.sources.fetch import VALUE_BYTES, Fetched
from badgerjobs.sources.types import ANSWER_BYTES
from tests.e2e.receiver import Answer, Receiver
from tests.sources.fetching import JSON, fetched, outcome, says, source_of, unfetched

TEXT = (("Content-Type", "text/plain"),)


def kept(answer: Answer) -> str:
    with Receiver() as receiver:
        receiver.answer = lambda _: answer
        return fetched(source_of(url=receiver.url))


@pytest.mark.parametrize(
    ("body", "headers", "value"),
    [
        ('{\n  "b": 1.50,\t"a": "x  y\\" z",\r\n"b": 1e300}', JSON, '{"b":1.50,"a":"x  y\\" z","b":1e300}'),
        (" null ", JSON, "null"),
        ("[1, 12345678901234567890]", TEXT, "[1,12345678901234567890]"),
        ("plain: text", TEXT, '"plain: text"'),
        ("", TEXT, '""'),
        ("", (), '""'),
        ('{"a": NaN}', TEXT, '"{\\"a\\": NaN}"'),
        ("[1e309]", TEXT, '"[1e309]"'),
        (b"\xef\xbb\xbf[1]", JSON, "[1]"),
        ("ä".encode("latin-1"), (("Content-Type", "text/plain; charset=ISO-8859-1"),), '"ä"'),
        ('["ä"]'.encode("utf-16"), (("Content-Type", "application/json; charset=utf-16"),), '["ä"]'),
        (b'["\xff\xfe"]', JSON, '["\ufffd\ufffd"]'),
        (b"\xff\x00a", (("Content-Type", "text/plain; charset=nonsense"),), '"\ufffd\ufffda"'),
        (b"x", (("Content-Type", "text/plain; charset=zip"),), '"x"'),
        (b"\xe4", (("Content-Type", f"text/plain; a={'x' * 200}; charset=latin-1"),), '"\ufffd"'),
        ('{"a": "\\u0000", "\\ud800": "\\ud83d\\ude00"}', JSON, '{"a":"\ufffd","\ufffd":"\U0001f600"}'),
        ('["\\ud83d\\ude00"]', JSON, '["\\ud83d\\ude00"]'),
    ],
)
def test_an_answer_is_kept_as_compact_json(body: str | bytes, headers: Any, value: str) -> None:
    found = kept(Answer(body=body.encode() if isinstance(body, str) else body, headers=headers))
    assert found == value
    assert "\0" not in found
    json.loads(found)
    found.encode()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("{oops}", "The answer says that it is JSON, and is not: line 1, column 2."),
        ("", "The answer says that it is JSON, and is not: line 1, column 1."),
        ('{"a": NaN}', "a number in it is none, or is larger than can be kept"),
        ('{"a": -1e309}', "a number in it is none, or is larger than can be kept"),
        ("1" * 5000, "a number in it is none, or is larger than can be kept"),
        ("[" * 101 + "]" * 101, "The answer is JSON nested more than 100 levels deep."),
        ("[" * 100_000 + "]" * 100_000, "The answer is JSON nested more than 100 levels deep."),
        ('{"a":' * 200_000, "The answer is JSON nested more than 100 levels deep."),
    ],
    ids=["broken", "empty", "NaN", "infinite", "digits", "101 levels", "100,000 levels", "open"],
)
def test_json_that_is_none_is_a_failure(body: str, sentence: str) -> None:
    with Receiver() as receiver:
        receiver.answer = lambda _: says(body)
        came = unfetched(source_of(url=receiver.url))
    assert (came.error_class, came.status, came.retry) == ("json", 200, True)
    assert sentence in came.error


@pytest.mark.parametrize(
    ("answer", "sentence", "retry", "after"),
    [
        (says('{"detail": "no such product"}', 404),
         "The source answered 404 Not Found. It says: “no such product.”", True, None),
        (says("{}", 500), "The source answered 500 Internal Server Error.", True, None),
        (says("<html>", 599), "The source answered 599.", True, None),
        (says("", 304), "The source answered 304 Not Modified.", True, None),
        (says('{"message": 7, "error": "gone\\u0000\\n"}', 410),
         "The source answered 410 Gone. It says: “gone.”", False, None),
        (says("", 429, ("Retry-After", "7")), "The source answered 429 Too Many Requests.", True, timedelta(seconds=7)),
    ],
)  # fmt: skip
def test_a_status_beyond_200_to_299_is_a_failure(answer: Answer, sentence: str, retry: bool, after: Any) -> None:
    with Receiver() as receiver:
        receiver.answer = lambda _: answer
        came = unfetched(source_of(url=receiver.url))
    assert (came.error_class, came.error, came.status) == ("status", sentence, answer.status)
    assert (came.retry, came.retry_after) == (retry, after)


@pytest.mark.parametrize("size", [VALUE_BYTES - 2, VALUE_BYTES - 1, ANSWER_BYTES + 1])
def test_a_value_has_so_many_bytes_at_most(size: int) -> None:
    with Receiver() as receiver:
        receiver.answer = lambda _: Answer(body=b"x" * size, headers=TEXT)
        came = outcome(source_of(url=receiver.url))
    if size + 2 <= VALUE_BYTES:
        assert isinstance(came, Fetched)
        assert came.bytes == VALUE_BYTES
    else:
        assert not isinstance(came, Fetched | Later)
        assert (came.error_class, came.retry) == ("too_large", False)


def test_a_private_address_is_refused_at_once() -> None:
    came = unfetched(source_of(url="http://127.0.0.1:9/"), allow=())
    assert (came.error_class, came.retry) == ("refused", False)
    assert "EGRESS_ALLOW" in came.error


def test_a_redirect_to_a_private_address_is_refused() -> None:
    with Receiver() as receiver:
        receiver.answer = lambda _: Answer(302, location="http://10.0.0.1/")
        came = unfetched(source_of(url=receiver.url))
    assert came.error_class == "refused"


def test_a_source_that_does_not_answer_in_time_is_tried_again() -> None:
    with Receiver() as receiver:
        receiver.answer = lambda _: Answer(gate="never")
        came = unfetched(source_of(url=receiver.url), timeout_s=0.05)
    assert (came.error_class, came.retry, came.status) == ("timeout", True, None)
