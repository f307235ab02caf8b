"""Filters in the address: what cannot be read is a 400 that names the filter."""

from datetime import UTC, datetime

import pytest

from badgerjobs.web.filters import is_true, moment, one_of
from tests.callers import PROBLEM, Caller
from tests.in_turn import in_turn


@in_turn(
    "path, name, right",
    [
        ("/jobs/?enabled=maybe", "enabled", "true nor false"),
        ("/jobs/?planned=", "planned", "true nor false"),
        ("/jobs/?verb=FETCH", "verb", "GET, POST"),
        ("/jobs/?search=%00", "search", "null"),
        ("/runs/?state=done", "state", "succeeded"),
        ("/runs/?cause=chance", "cause", "schedule"),
        ("/runs/?since=yesterday", "since", "2026-11-21T22:50:28Z"),
        ("/runs/?until=2026-02-30T00:00:00Z", "until", "2026-11-21T22:50:28Z"),
        ("/runs/?name=%00", "name", "null"),
        ("/runs/?kind=%00", "kind", "null"),
        ("/runs/?kind=htpp", "kind", "“htpp” is none of http, event"),
        ("/runs/?error_class=timeout,rain", "error_class", "“rain” is none of status, connect, dns, timeout"),
        ("/runs/?since=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z", "since", "give an earlier time"),
        ("/runs/?since=2026-03-01T12:00:00&until=2026-03-01T12:00:00%2B01:00", "since", "after until"),
        ("/results/?since=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z", "since", "give an earlier time"),
        ("/results/?ok=2", "ok", "true nor false"),
        ("/results/?job=%00", "job", "null"),
        ("/results/?since=%00", "since", "null"),
        (f"/runs/?error_class={',' * 100}", "error_class", "at most 100 words"),
        (f"/runs/?state={'queued,' * 100}", "state", "at most 100 words"),
        (f"/jobs/?verb={'get,' * 100}", "verb", "at most 100 words"),
        (f"/runs/?{'name=a&' * 11}", "name", "at most 10 times: this is 11 times"),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(alice: Caller, path: str, name: str, right: str) -> None:
    answer = alice.get(path)
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert right in answer.errors[name][0]


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize(
    "value",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00%2B14:00",
        "9999-12-31T23:59:59-23:59",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
    ],
)
def test_any_moment_of_the_calendar_can_be_asked_for(alice: Caller, name: str, value: str) -> None:
    for path in ("/runs/", "/results/"):
        assert alice.get(f"{path}?{name}={value}").status == 200


@pytest.mark.parametrize(("text", "meant"), [("true", True), ("TRUE", True), ("1", True), ("no", False), ("0", False)])
def test_yes_and_no_in_several_words(text: str, meant: bool) -> None:
    assert is_true(text) is meant


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-03-02T12:00:00Z", 12),
        ("2026-03-02T12:00:00", 12),
        ("2026-03-02T12:00:00+02:00", 10),
        ("2026-03-02T12:00:00 02:00", 10),  # a plus sign that was not encoded
    ],
)
def test_a_moment_without_a_zone_is_meant_in_utc(text: str, hour: int) -> None:
    assert moment(text) == datetime(2026, 3, 2, hour, tzinfo=UTC)


def test_a_filter_may_be_given_some_times_with_as_many_words_as_there_may_be(alice: Caller) -> None:
    query = "&".join([f"error_class={','.join(['timeout'] * 100)}"] * 10)
    assert alice.get(f"/runs/?{query}").status == 200


def test_several_words_stand_with_commas() -> None:
    assert one_of(["a", "b", "c"], "a, c,") == ["a", "c"]


@pytest.mark.parametrize("tag", ["%00", "a%00b", "%0A", "%FF", "%ED%A0%80", "..", "x" * 5000])
def test_a_tag_that_no_job_can_have_is_not_found(alice: Caller, tag: str) -> None:
    for answer in (alice.get(f"/jobs/{tag}/"), alice.patch(f"/jobs/{tag}/", {}), alice.delete(f"/jobs/{tag}/")):
        assert (answer.status, answer.content_type) == (404, PROBLEM)
    made = alice.put(f"/jobs/{tag}/", {"verb": "GET", "endpoint": "https://example.com/"})
    # What is not UTF-8 stays percent-encoded, and so is a tag of its own.
    assert made.status in ({201} if tag in {"%FF", "%ED%A0%80"} else {400, 404})
