"""How often an application may call, and what happens when nobody can count."""

import time
from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock, patch

import pytest
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCacheClient
from redis.client import Pipeline
from redis.connection import AbstractConnection
from redis.exceptions import ConnectionError as ValkeyAway
from redis.exceptions import ResponseError

from badgerjobs.web import limits, remembering, spared_cache
from badgerjobs.workspaces.models import Application
from tests.callers import PROBLEM, Answer, Caller, caller_for

A_MOMENT = 1_000_000_000.25


@pytest.fixture(autouse=True)
def _time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: A_MOMENT)


@pytest.fixture
def three(settings: Any) -> None:
    settings.RATE_LIMIT_PER_SECOND = 3


@pytest.mark.usefixtures("three")
def test_more_than_so_many_in_a_second_are_told_to_wait(alice: Caller) -> None:
    answers = [alice.get("/") for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[3].content_type == PROBLEM
    assert answers[3].headers["Retry-After"] == "1"
    said = "This application may make 3 requests a second, and has made more: try again in 1 second."
    assert answers[3].body["detail"] == said


@pytest.mark.usefixtures("three")
def test_the_next_second_begins_anew(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        alice.get("/")
    monkeypatch.setattr("time.time", lambda: A_MOMENT + 1)
    assert alice.get("/").status == 200


@pytest.mark.usefixtures("three")
def test_all_tokens_of_an_application_count_together_and_no_others(alice: Caller, charlie: Caller) -> None:
    other = caller_for(alice.application)
    assert [caller.get("/").status for caller in (alice, other, alice, other)] == [200, 200, 200, 429]
    assert charlie.get("/").status == 200


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(("own", "allowed"), [(2, 2), (100, 3), (None, 3)])
def test_an_application_may_allow_fewer_and_never_more(own: int | None, allowed: int, alice: Caller) -> None:
    Application.objects.filter(pk=alice.application.pk).update(requests_per_second=own)
    assert [alice.get("/").status for _ in range(5)] == [200] * allowed + [429] * (5 - allowed)


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(("own", "allowed"), [(2, 2), (100, 3), (None, 3)])
def test_a_token_may_allow_fewer_and_never_more(own: int | None, allowed: int, alice: Caller) -> None:
    slow = caller_for(alice.application, requests_per_second=own)
    answers = [slow.get("/") for _ in range(5)]
    assert [answer.status for answer in answers] == [200] * allowed + [429] * (5 - allowed)
    assert (f'"token";q={allowed};' in answers[0].headers["RateLimit-Policy"]) is (own is not None)


@pytest.mark.usefixtures("three")
def test_a_token_at_its_limit_leaves_the_others_of_its_application_theirs(alice: Caller) -> None:
    slow = caller_for(alice.application, requests_per_second=1)
    answers = [caller.get("/") for caller in (slow, slow, alice, alice)]
    assert [answer.status for answer in answers] == [200, 429, 200, 429]
    said = "This token may make 1 request a second, and has made more: try again in 1 second."
    assert answers[1].body["detail"] == said


def told(answer: Answer) -> tuple[int, str, str]:
    return answer.status, answer.headers["RateLimit-Policy"], answer.headers["RateLimit"]


def test_each_answer_tells_what_may_be_asked_and_how_much_of_it_is_left(alice: Caller, settings: Any) -> None:
    settings.RATE_LIMIT_PER_SECOND = 400
    slow = caller_for(alice.application, requests_per_second=2)
    policy = '"application";q=400;w=1, "token";q=2;w=1'
    assert told(alice.get("/")) == (200, '"application";q=400;w=1', '"application";r=399;t=1')
    assert [told(slow.get("/jobs/nothing/")) for _ in range(3)] == [
        (404, policy, '"application";r=398;t=1, "token";r=1;t=1'),
        (404, policy, '"application";r=397;t=1, "token";r=0;t=1'),
        (429, policy, '"application";r=396;t=1, "token";r=0;t=1'),
    ]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/jobs/", 403),
        ("POST", "/jobs/", 400),
        ("PATCH", "/jobs/", 405),
        ("POST", "http://testserver/graphql", 200),
    ],
)
def test_refusals_and_graphql_tell_it_too(alice: Caller, method: str, path: str, status: int) -> None:
    writer = caller_for(alice.application, scopes=["write"])
    answer = writer.send(method, path, b'{"query": "mutation { deleteJob(name: 1) }"}')
    assert (answer.status, "RateLimit" in answer.headers, "RateLimit-Policy" in answer.headers) == (status, True, True)


def test_who_has_no_token_is_told_nothing_of_limits(alice: Caller) -> None:
    alice.get("/")
    for stranger in (Caller(), Caller("bj_aaaaaaaa_" + "x" * 43)):
        answer = stranger.get("/")
        assert (answer.status, [name for name in answer.headers if name.startswith("RateLimit")]) == (401, [])


def test_all_limits_of_a_request_are_counted_in_one_trip(alice: Caller) -> None:
    slow = caller_for(alice.application, requests_per_second=2)
    slow.get("/")
    with patch.object(
        AbstractConnection, "send_packed_command", autospec=True, side_effect=AbstractConnection.send_packed_command
    ) as trips:
        slow.get("/")
    assert trips.call_count == 1


@pytest.mark.usefixtures("three")
def test_what_needs_no_token_is_not_counted(alice: Caller) -> None:
    assert {Caller().get("/schema/").status for _ in range(5)} == {200}


def test_an_address_that_tries_many_wrong_tokens_is_told_to_wait(alice: Caller) -> None:
    forged = Caller("bj_aaaaaaaa_" + "x" * 43)
    statuses = [forged.get("/").status for _ in range(62)]
    assert statuses == [401] * 60 + [429] * 2
    refused = forged.get("/")
    assert refused.headers["Retry-After"] == "60"
    assert refused.body["detail"] == "Too many wrong tokens came from this address: try again in 60 seconds."
    assert alice.get("/").status == 200


@pytest.mark.parametrize(("behind_proxy", "statuses"), [(True, {401}), (False, {401, 429})])
def test_behind_a_proxy_each_address_that_it_passes_on_is_counted_for_itself(
    alice: Caller, settings: Any, behind_proxy: bool, statuses: set[int]
) -> None:
    settings.BEHIND_PROXY = behind_proxy
    forged = Caller("bj_aaaaaaaa_" + "x" * 43)
    chains = [f"203.0.113.9, 198.51.100.{n % 2}" for n in range(80)]
    assert {forged.get("/", X_Forwarded_For=chain).status for chain in chains} == statuses


@pytest.fixture
def valkey_away() -> Iterator[MagicMock]:
    """No connection can be had: how often one was asked for."""
    with patch.object(RedisCacheClient, "get_client", side_effect=ValkeyAway("Timeout reading from socket")) as asked:
        yield asked


@pytest.mark.usefixtures("valkey_away")
def test_without_the_cache_nobody_is_refused(alice: Caller, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.RATE_LIMIT_PER_SECOND = 1
    assert {alice.get("/").status for _ in range(3)} == {200}
    assert "nothing is counted" in caplog.text


@pytest.mark.usefixtures("alice", "valkey_away")
def test_without_the_cache_each_is_the_first_one() -> None:
    assert [limits.count("x", window_s=60) for _ in range(3)] == [1, 1, 1]


@pytest.mark.usefixtures("alice")
def test_many_are_counted_in_one_trip_and_forgotten_by_themselves() -> None:
    valkey = cache._cache.get_client(write=True)  # type: ignore[attr-defined]
    with patch.object(
        AbstractConnection, "send_packed_command", autospec=True, side_effect=AbstractConnection.send_packed_command
    ) as trips:
        assert [limits.count("x", window_s=60, amount=amount) for amount in (1, 29, 500)] == [1, 30, 530]
    assert trips.call_count == 3
    [key] = valkey.keys("*limit:x:*")
    assert 0 < valkey.ttl(key) <= 120


def test_a_cache_that_did_not_answer_is_left_alone_for_a_while(
    alice: Caller, valkey_away: MagicMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {alice.get("/").status for _ in range(5)} == {200}
    assert valkey_away.call_count == 1
    monkeypatch.setattr("time.monotonic", lambda after=time.monotonic: after() + spared_cache.QUIET_S)
    alice.get("/")
    assert valkey_away.call_count == 2


def test_who_remembers_learns_from_who_counts_that_the_cache_is_away(alice: Caller, valkey_away: MagicMock) -> None:
    alice.get("/")
    assert [remembering.recall(["x"]), remembering.take_turn("x")] == [{}, True]
    remembering.remember({"x": 1}, seconds=5)
    remembering.end_turn("x")
    assert valkey_away.call_count == 1


@pytest.mark.parametrize("spoil", ["SET", "LPUSH"])
@pytest.mark.usefixtures("three")
def test_what_is_no_number_under_a_counters_key_silences_no_limit(alice: Caller, spoil: str) -> None:
    cache.clear()
    alice.get("/")
    valkey = cache._cache.get_client(write=True)  # type: ignore[attr-defined]
    [key] = valkey.keys("*limit:requests:*")
    valkey.delete(key)
    valkey.execute_command(spoil, key, "nonsense")
    assert [alice.get("/").status for _ in range(4)] == [200, 200, 200, 429]
    assert valkey.ttl(key) > 0


def test_a_cache_that_refuses_to_write_counts_as_away(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise ResponseError("OOM command not allowed when used memory > 'maxmemory'.")

    monkeypatch.setattr(Pipeline, "execute", full)
    monkeypatch.setattr(RedisCacheClient, "set", full)
    assert alice.get("/").status == 200
