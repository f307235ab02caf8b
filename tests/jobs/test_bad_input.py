"""What cannot be a job: a 400 that names the field and says what would be right."""

import json
from typing import Any

import pytest

from jobs.models import Job
from tests.callers import PROBLEM, Caller
from tests.in_turn import in_turn

GOOD = {"tag": "t", "endpoint": "https://example.com/", "verb": "GET"}

# What is given, the field that is at fault, and words of the sentence that say what would be right.
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"verb": "FETCH"}, "verb", "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"),
    ({"verb": ""}, "verb", "GET"),
    ({"verb": None}, "verb", "Say what to call"),
    ({"verb": 5}, "verb", "GET"),
    ({"verb": ["GET"]}, "verb", "GET"),
    ({"verb": "\ud800"}, "verb", "GET"),
    ({"endpoint": "/relative"}, "endpoint", "https://example.com/path"),
    ({"endpoint": "example.com"}, "endpoint", "https://example.com/path"),
    ({"endpoint": "//example.com/"}, "endpoint", "https://example.com/path"),
    ({"endpoint": "ftp://example.com/"}, "endpoint", "http:// and https://"),
    ({"endpoint": "javascript:alert(1)"}, "endpoint", "https://example.com/path"),
    ({"endpoint": "https:///path"}, "endpoint", "host"),
    ({"endpoint": "https://user:pass@example.com/"}, "endpoint", "Authorization header"),
    ({"endpoint": "https://example.com:99999/"}, "endpoint", "1 to 65535"),
    ({"endpoint": "https://example.com/a b"}, "endpoint", "%20"),
    ({"endpoint": "https://example.com/" + "x" * 2000}, "endpoint", "at most 2,000 characters: this has 2020."),
    ({"endpoint": None}, "endpoint", "Say what to call"),
    ({"endpoint": {}}, "endpoint", "string"),
    ({"cron": "0 8 * * *", "run_every": "PT1H"}, "cron", "either"),
    ({"cron": "0 8 * * *", "run_every": "PT1H"}, "run_every", "either"),
    ({"preset": "daily", "run_every": "PT1H"}, "preset", "either"),
    ({"cron": "0 0 30 2 *"}, "cron", "never"),
    ({"cron": "61 * * * *"}, "cron", "0-59"),
    ({"cron": "hello"}, "cron", "five"),
    ({"cron": 5}, "cron", ""),
    ({"cron": []}, "cron", "string"),
    ({"run_every": "P1H"}, "run_every", "PT1H"),
    ({"run_every": "1 hour"}, "run_every", "PT1H"),
    ({"run_every": "PT0S"}, "run_every", "PT1S"),
    ({"run_every": "-PT1H"}, "run_every", "positive"),
    ({"run_every": 60}, "run_every", "PT15M"),
    ({"run_every": {}}, "run_every", "string"),
    ({"preset": "dayly"}, "preset", "daily"),
    ({"preset": "every-other-day"}, "preset", "hourly, daily, weekly"),
    ({"preset": True}, "preset", "string"),
    ({"time_zone": "Europe/Zürich"}, "time_zone", "Europe/Zurich"),
    ({"time_zone": "CET/CEST"}, "time_zone", "IANA"),
    ({"time_zone": 1}, "time_zone", "IANA"),
    ({"run_at": "tomorrow"}, "run_at", "like 2026-11-21T22:50:28Z"),
    ({"run_at": 1700000000}, "run_at", "like 2026-11-21T22:50:28Z"),
    ({"run_at": True}, "run_at", "like 2026-11-21T22:50:28Z"),
    ({"run_at": "2026-11-21T22:50:28"}, "run_at", "Z for UTC"),
    ({"run_at": "2026-11-21"}, "run_at", "Z for UTC"),
    ({"run_at": "2026-02-30T00:00:00Z"}, "run_at", ""),
    ({"run_at": "2099-01-01T00:00:00Z"}, "run_at", "ten years"),
    ({"run_at": "9999-12-31T23:59:59-23:59"}, "run_at", ""),
    ({"run_at": "0001-01-01T00:00:00+23:59"}, "run_at", ""),
    ({"run_at": "1950-01-01T00:00:00Z"}, "run_at", "1970"),
    ({"body": "x" * 1_000_001}, "body", "1,000,000"),
    ({"body": "é" * 500_001}, "body", "1,000,000"),
    ({"body": {"a": 1}}, "body", "string"),
    ({"body": True}, "body", "string"),
    ({"headers": {"X-Bad\r\nInjected": "1"}}, "headers", "letters, digits and hyphens"),
    ({"headers": {"X Bad": "1"}}, "headers", "letters, digits and hyphens"),
    ({"headers": {"": "1"}}, "headers", "letters, digits and hyphens"),
    ({"headers": {"X-Bad\ud800": "1"}}, "headers", "letters, digits and hyphens"),
    ({"headers": {"X-Ok": "a\r\nInjected: 1"}}, "headers", "one line"),
    ({"headers": {"X-Team": "1", "x-team": "2"}}, "headers", "differ in upper and lower case only"),
    ({"headers": {"Host": "other.example.com"}}, "headers", "cannot be set"),
    ({"headers": {"Transfer-Encoding": "chunked"}}, "headers", "cannot be set"),
    ({"headers": {"Authorization": "********"}}, "headers", "Send the value itself"),
    ({"headers": []}, "headers", "object"),
    ({"headers": [["X-A", "1"]]}, "headers", "object"),
    ({"headers": "X-A: 1"}, "headers", "object"),
    ({"headers": ""}, "headers", "object"),
    ({"headers": False}, "headers", "object"),
    ({"headers": 0}, "headers", "object"),
    ({"headers": {f"X-{n}": "1" for n in range(101)}}, "headers", "100"),
    ({"tag": "a/b"}, "tag", "“/”"),
    ({"tag": "a\nb"}, "tag", "control characters"),
    ({"tag": "a\u2028b"}, "tag", "control characters"),
    ({"tag": ".."}, "tag", "“/”"),
    ({"tag": "."}, "tag", "“/”"),
    ({"tag": " a"}, "tag", "blank"),
    ({"tag": "a "}, "tag", "blank"),
    ({"tag": "  "}, "tag", "blank"),
    ({"tag": ""}, "tag", "not empty"),
    ({"tag": None}, "tag", "null"),
    ({"tag": "x" * 201}, "tag", "Give at most 200 characters: this has 201."),
    ({"tag": []}, "tag", "string"),
    ({"tag": "a\0b"}, "tag", "ull"),
    ({"name": ""}, "name", "not empty"),
    ({"name": "x" * 201}, "name", "200"),
    ({"name": "a\0b"}, "name", "ull"),
    ({"name": "\udfff"}, "name", "urrogate"),
    ({"body": "a\0b"}, "body", "ull"),
    ({"body": "\ud800"}, "body", "urrogate"),
    ({"headers": {"X-A": "\ud800"}}, "headers", "urrogate"),
    ({"cron": "\ud800"}, "cron", "urrogate"),
    ({"timeout": 0}, "timeout", "1"),
    ({"timeout": 901}, "timeout", "900"),
    ({"timeout": -1}, "timeout", "1"),
    ({"timeout": 1.5}, "timeout", "a whole number"),
    ({"timeout": "soon"}, "timeout", "a whole number"),
    ({"timeout": True}, "timeout", "a whole number"),
    ({"timeout": None}, "timeout", "null"),
    ({"timeout": 1e300}, "timeout", "a whole number"),
    ({"enabled": "maybe"}, "enabled", "true or false"),
    ({"enabled": None}, "enabled", "null"),
    ({"enabled": []}, "enabled", "true or false"),
    ({"retryable": 2}, "retryable", "true or false"),
    ({"retryable": {}}, "retryable", "true or false"),
    ({"endpont": "https://example.com/"}, "endpont", "endpoint"),
    ({"run_evry": "PT1H"}, "run_evry", "run_every"),
    ({"runAt": "2026-11-21T22:50:28Z"}, "runAt", "run_at"),
    ({"zzz": 1}, "zzz", "tag"),
    ({"\ud800": 1}, "\\ud800", "tag"),
]


def said(errors: dict[str, list[str]], field: str) -> str:
    """The sentences about a field and what is in it."""
    return " ".join(
        text for name, texts in errors.items() if name == field or name.startswith(f"{field}.") for text in texts
    )


@in_turn("given, field, right", REFUSED)
def test_what_cannot_be_a_job_is_refused_with_the_field_and_what_would_be_right(
    alice: Caller, given: dict[str, Any], field: str, right: str
) -> None:
    answer = alice.post("/jobs/", {**GOOD, **given})
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert said(answer.errors, field), answer.body
    assert right in said(answer.errors, field)
    assert not Job.objects.exists()


@pytest.mark.parametrize("field", ["endpoint", "verb", "tag"])
def test_what_a_job_cannot_be_without_is_asked_for(alice: Caller, field: str) -> None:
    answer = alice.post("/jobs/", {name: value for name, value in GOOD.items() if name != field})
    assert answer.status == 400
    assert set(answer.errors) == {field}


def test_of_an_empty_job_all_that_is_missing_is_said_at_once(alice: Caller) -> None:
    answer = alice.post("/jobs/", {})
    assert set(answer.errors) == {"endpoint", "verb", "tag"}
    assert "or a name" in answer.errors["tag"][0]
    assert set(alice.post("/jobs/", {"name": "n"}).errors) == {"endpoint", "verb"}
    assert set(alice.put("/jobs/t/", {}).errors) == {"endpoint", "verb"}


@pytest.mark.parametrize("method", ["post", "put"])
def test_thousands_of_headers_are_refused_before_any_is_looked_at(alice: Caller, method: str) -> None:
    wrong: dict[str, Any] = {f"X-{n}": [] for n in range(20_000)}  # each would be a fault of its own
    answer = getattr(alice, method)("/jobs/" if method == "post" else "/jobs/t/", {**GOOD, "headers": wrong})
    assert (answer.status, set(answer.errors)) == (400, {"headers"})
    assert "100 headers; these are 20,000" in answer.errors["headers"][0]


def test_all_that_is_wrong_is_said_at_once(alice: Caller) -> None:
    answer = alice.post("/jobs/", {"tag": "a/b", "verb": "FETCH", "endpoint": "x", "timeout": 0, "extra": 1})
    assert set(answer.errors) == {"tag", "verb", "endpoint", "timeout", "extra"}


@in_turn(
    "body",
    [
        b"{",
        b"",
        b"tag=t",
        b"[]",
        b'[{"tag": "t"}]',
        b'"text"',
        b"5",
        b"null",
        b"\xff\xfe",
        b'{"tag": "\xff"}',
        b'{"timeout": NaN}',
        b'{"timeout": ' + b"9" * 5000 + b"}",
        b'{"headers": ' + b'{"a":' * 100_000,
        b'{"headers": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'\xef\xbb\xbf{"tag": ',
    ],
)
def test_what_is_no_json_object_is_a_400(alice: Caller, body: bytes) -> None:
    answer = alice.send("POST", "/jobs/", body)
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert answer.body["detail"]


@pytest.mark.parametrize("charset", ["utf-16", "rot13", "hex", "bz2", "nonsense", "latin-1"])
def test_a_charset_that_json_does_not_have_breaks_nothing(alice: Caller, charset: str) -> None:
    answer = alice.send(
        "POST", "/jobs/", json.dumps(GOOD).encode(), Content_Type=f"application/json; charset={charset}"
    )
    assert answer.status in {201, 400}


def test_a_body_of_a_megabyte_is_taken(alice: Caller) -> None:
    answer = alice.post("/jobs/", {**GOOD, "body": "é" * 500_000})
    assert answer.status == 201
    assert len(alice.get("/jobs/t/").body["body"].encode()) == 1_000_000


def test_five_megabytes_are_refused_before_they_are_read(alice: Caller) -> None:
    answer = alice.post("/jobs/", {**GOOD, "body": "x" * 5_000_000})
    assert (answer.status, answer.content_type) == (413, PROBLEM)


def test_what_a_wrong_change_leaves_is_what_was_there(alice: Caller) -> None:
    alice.post("/jobs/", {**GOOD, "run_every": "PT1H"})
    before = alice.get("/jobs/t/").body
    for given in ({"cron": "0 8 * * *"}, {"verb": "FETCH"}, {"extra": 1}, {"timeout": 901}, {"tag": "u"}):
        answer = alice.patch("/jobs/t/", given)
        assert (answer.status, set(given) <= set(answer.errors)) == (400, True)
    assert alice.put("/jobs/t/", {"verb": "GET"}).errors.keys() == {"endpoint"}
    assert alice.get("/jobs/t/").body == before


def test_what_is_read_can_be_sent_back(alice: Caller) -> None:
    """Fields that are only read are known, and ignored: reading, changing and writing is how people edit."""
    alice.post("/jobs/", {**GOOD, "run_every": "PT1H", "headers": {"Authorization": "Bearer x", "X-A": "1"}})
    read = alice.get("/jobs/t/").body
    for send in (alice.put, alice.patch):
        answer = send("/jobs/t/", read)
        assert answer.status == 200
        assert {**answer.body, "updated_at": None} == {**read, "updated_at": None}
    assert Job.objects.get().headers == {"Authorization": "Bearer x", "X-A": "1"}
