"""How often an application may call, and what happens when nobody can count."""

from typing import Any

import pytest
from django.core.cache import cache
from redis.exceptions import ConnectionError as ValkeyAway
from redis.exceptions import ResponseError

from badgerjobs.web import limits
from badgerjobs.workspaces.models import Application
from tests.callers import PROBLEM, Caller, caller_for

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
def test_what_needs_no_token_is_not_counted(alice: Caller) -> None:
    assert {Caller().get("/schema/").status for _ in range(5)} == {200}


def test_an_address_that_tries_many_wrong_tokens_is_told_to_wait(alice: Caller) -> None:
    forged = Caller("bj_aaaaaaaa_" + "x" * 43)
    statuses = [forged.get("/").status for _ in range(62)]
    assert statuses == [401] * 60 + [429] * 2
    assert forged.get("/").headers["Retry-After"] == "60"
    assert alice.get("/").status == 200


@pytest.mark.parametrize(("behind_proxy", "statuses"), [(True, {401}), (False, {401, 429})])
def test_behind_a_proxy_each_address_that_it_passes_on_is_counted_for_itself(
    alice: Caller, settings: Any, behind_proxy: bool, statuses: set[int]
) -> None:
    settings.BEHIND_PROXY = behind_proxy
    forged = Caller("bj_aaaaaaaa_" + "x" * 43)
    chains = [f"203.0.113.9, 198.51.100.{n % 2}" for n in range(80)]
    assert {forged.get("/", X_Forwarded_For=chain).status for chain in chains} == statuses


def test_without_the_cache_nobody_is_refused(
    alice: Caller, monkeypatch: pytest.MonkeyPatch, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.RATE_LIMIT_PER_SECOND = 1

    def away(*_: Any, **__: Any) -> Any:
        raise ValkeyAway("Error 111")

    monkeypatch.setattr(cache, "add", away)
    assert {alice.get("/").status for _ in range(3)} == {200}
    assert "cannot be counted" in caplog.text


def test_a_cache_that_did_not_answer_is_left_alone_for_a_while(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def away(*_: Any, **__: Any) -> Any:
        asked.append(1)
        raise ValkeyAway("Timeout reading from socket")

    monkeypatch.setattr(cache, "add", away)
    assert {alice.get("/").status for _ in range(5)} == {200}
    assert len(asked) == 1


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

    monkeypatch.setattr(cache, "add", lambda *_, **__: False)
    for command in ("incr", "set"):
        monkeypatch.setattr(cache, command, full)
    assert alice.get("/").status == 200


def test_a_window_that_ends_between_two_commands_counts_from_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> Any:
        raise ValueError

    monkeypatch.setattr(cache, "add", lambda *_, **__: False)
    monkeypatch.setattr(cache, "incr", gone)
    assert limits.count("x", window_s=1) == 1
