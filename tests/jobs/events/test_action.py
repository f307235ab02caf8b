"""An action: the input in the URL, the headers and the body, and nowhere that it could do harm."""

import json
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from badgerjobs.lib import signatures
from jobs.events.types.action import prepare
from jobs.perform import Request
from tests.e2e.receiver import Answer, Receiver
from tests.jobs.events.performing import KEY, RUN, done, failed, occasion, perform

URL = "https://example.com"


def prepared(given: Any = None, **configuration: Any) -> Request:
    return prepare(occasion("ACTION", {"endpoint": URL, **configuration}, None, given))


def test_it_calls_for_real_and_is_signed_like_a_job() -> None:
    with Receiver() as receiver:
        event = {
            "endpoint": f"{receiver.url}/products/{{{{input.id}}}}?q={{{{input.q}}}}",
            "verb": "put",
            "headers": {"X-Run": "{{run.id}}", "Content-Type": "application/json"},
            "body": '{"id": {{input.id}}, "q": "{{input.q}}"}',
        }
        result = done(perform("ACTION", event, None, {"id": 7, "q": 'a/"b"&c'}))
        [call] = receiver.calls
    assert (call.method, call.path, call.headers["x-run"]) == ("PUT", "/products/7?q=a%2F%22b%22%26c", str(RUN))
    assert json.loads(call.body) == {"id": 7, "q": 'a/"b"&c'}
    assert (result["status"], result["body"]) == (200, "ok")
    signatures.verify(
        KEY, call.id, call.headers["webhook-timestamp"], call.headers["webhook-signature"], call.body, now=call.at
    )


@pytest.mark.parametrize(
    ("headers", "body", "sent"),
    [
        ({"Content-Type": "application/json; charset=utf-8"}, '"{{input}}"', b'"a\\"b"'),
        ({"content-type": "application/problem+json"}, "{{input}}", b'"a\\"b"'),
        ({}, '{"a": "{{input}}"}', b'{"a": "a\\"b"}'),
        ({}, "a: {{input}}", b'a: a"b'),
        ({"Content-Type": "text/plain"}, "[{{input}}]", b'[a"b]'),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "a={{input}}", b"a=a%22b"),
    ],
)
def test_a_value_is_escaped_as_the_body_is_read(headers: dict[str, str], body: str, sent: bytes) -> None:
    assert prepared('a"b', headers=headers, body=body).body == sent


@pytest.mark.parametrize(
    ("given", "configuration", "sentence"),
    [
        ({}, {"endpoint": f"{URL}/{{{{input.id}}}}"}, "There is no input.id: input is empty."),
        (
            {"id": ".."},
            {"endpoint": f"{URL}/{{{{input.id}}}}"},
            "input.id is “..”, which would lead to another path of the URL.",
        ),
        ({"id": "a\nb"}, {"headers": {"X-A": "{{input.id}}"}}, "input.id cannot stand in a header"),
        (
            "x" * 600_000,
            {"body": "{{input}}{{input}}"},
            "With the input in it the body is longer than 1,000,000 characters.",
        ),
    ],
    ids=["missing", "dots", "header", "size"],
)
def test_an_input_that_makes_no_call_fails_at_once(given: Any, configuration: Any, sentence: str) -> None:
    error_class, said, retry = failed(perform("ACTION", {"endpoint": URL, **configuration}, None, given))
    assert (error_class, retry) == ("input", False)
    assert sentence in said


@pytest.mark.parametrize(
    "endpoint", ["{{input.url}}", "https://{{input.host}}/", "https://x.{{input.host}}:1/", "{{input.s}}://x/"]
)
def test_whom_it_calls_the_input_cannot_say(endpoint: str) -> None:
    with pytest.raises(ValidationError, match=r"Scheme, host and port are fixed|must be complete"):
        prepared({}, endpoint=endpoint)


def test_a_status_that_fails_and_an_address_that_may_not_be_called_are_told_as_a_jobs_are() -> None:
    with Receiver() as receiver:
        receiver.answer = lambda _: Answer(503)
        assert failed(perform("ACTION", {"endpoint": receiver.url})) == ("status", "The endpoint answered 503.", True)
        error_class, _, retry = failed(perform("ACTION", {"endpoint": receiver.url}, allow=[]))
    assert (error_class, retry) == ("refused", False)
