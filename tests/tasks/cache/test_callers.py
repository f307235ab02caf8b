"""Who may read: tokens are believed for a second, counted by themselves, and refused as everywhere."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from badgerjobs.web import limits, throttling
from badgerjobs.web.authentication import WRONG_TRIES_PER_MINUTE
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.issuing import revoke_token
from badgerjobs.workspaces.models import Token
from tasks.cache import callers
from tests.callers import PROBLEM, Caller, caller_for
from tests.tasks.cache.stored import Clock, keep


class Seconds:
    """How long the process runs; it stands still unless a test moves it, within one second of the clock on the wall."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_000.25 + self.now


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    made = Seconds()
    for counter in (callers, limits, throttling):
        monkeypatch.setattr(counter, "time", made)
    return made


@pytest.fixture(autouse=True)
def _key(alice: Caller, clock: Clock) -> None:
    keep(alice.application)


def test_a_token_is_looked_up_once_in_a_second(alice: Caller, seconds: Seconds) -> None:
    alice.get("/cache/product-1")
    seconds.now = 0.9
    with CaptureQueriesContext(connection) as remembered:
        alice.get("/cache/product-1")
    seconds.now = 1.0
    with CaptureQueriesContext(connection) as again:
        alice.get("/cache/product-1")
    assert (len(remembered), len(again)) == (0, 1)


def test_a_revoked_token_reads_nothing_a_second_later(alice: Caller, seconds: Seconds) -> None:
    assert alice.get("/cache/product-1").status == 200
    revoke_token(token=Token.objects.get(), by=OPERATOR, now=timezone.now())
    seconds.now = 1.0
    assert alice.get("/cache/product-1").status == 401


def test_a_token_that_expires_reads_nothing_from_that_moment_on(
    alice: Caller, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = timezone.now() + timedelta(hours=1)
    brief = caller_for(alice.application, expires_at=end)
    assert brief.get("/cache/product-1").status == 200
    monkeypatch.setattr(timezone, "now", lambda: end)
    assert brief.get("/cache/product-1").status == 401


def test_wrong_tokens_are_counted_as_everywhere(alice: Caller, seconds: Seconds) -> None:
    wrong = Caller(alice.secret[:-1] + ("A" if alice.secret[-1] != "A" else "B"))
    answers = [wrong.get("/cache/product-1").status for _ in range(WRONG_TRIES_PER_MINUTE)]
    assert set(answers) == {401}
    refused = wrong.get("/cache/product-1")
    assert (refused.status, refused.content_type, refused.headers["Retry-After"]) == (429, PROBLEM, "60")
    assert refused.body == wrong.get("/jobs/").body
    assert alice.get("/cache/product-1").status == 200


def test_one_that_was_refused_is_not_remembered(alice: Caller, seconds: Seconds) -> None:
    lacking = caller_for(alice.application, scopes=["read"])
    assert lacking.get("/cache/product-1").status == 403
    Token.objects.filter(scopes=["read"]).update(scopes=["cache:read"])
    assert lacking.get("/cache/product-1").status == 200


def test_not_all_tokens_there_ever_were_are_remembered(
    alice: Caller, seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callers, "MOST_REMEMBERED", 2)
    for _ in range(5):
        assert caller_for(alice.application).get("/cache/product-1").status == 200
    assert len(callers._remembered) <= 2


def test_reads_are_counted_by_token_and_second(alice: Caller, seconds: Seconds, settings: Any) -> None:
    settings.CACHE_READS_PER_SECOND = 3
    other = caller_for(alice.application)
    assert [alice.get("/cache/product-1").status for _ in range(4)] == [200, 200, 200, 429]
    assert other.get("/cache/product-1").status == 200
    seconds.now = 1.0
    assert alice.get("/cache/product-1").status == 200


def test_one_read_too_many_is_refused_in_the_words_of_the_api(alice: Caller, seconds: Seconds, settings: Any) -> None:
    settings.CACHE_READS_PER_SECOND = settings.RATE_LIMIT_PER_SECOND = 1
    refused = [alice.get(path) for path in ("/cache/product-1", "/runs/") for _ in range(2)][1::2]
    assert [answer.status for answer in refused] == [429, 429]
    assert refused[0].content_type == PROBLEM
    assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
    assert [answer.body["detail"] for answer in refused] == [
        "A token may read 1 cached value a second, and this one has read more: try again in 1 second.",
        "This application may make 1 request a second, and has made more: try again in 1 second.",
    ]


def test_many_values_are_as_many_reads_and_what_is_no_key_is_one_too(
    alice: Caller, seconds: Seconds, settings: Any
) -> None:
    settings.CACHE_READS_PER_SECOND = 4
    assert alice.get("/cache/?key=a&key=b&key=c").status == 200
    assert alice.get("/cache/nothing").status == 404
    assert alice.get(f"/cache/{'x' * 401}").status == 429


def test_reads_and_other_requests_do_not_count_together(alice: Caller, seconds: Seconds, settings: Any) -> None:
    settings.RATE_LIMIT_PER_SECOND = 1
    assert [alice.get("/cache/product-1").status for _ in range(3)] == [200] * 3
