"""How much may come: calls in a second, bytes in a minute, and wrong addresses."""

from io import BytesIO
from typing import Any

import pytest
from django.core.cache import cache
from django.test import RequestFactory
from redis.exceptions import ConnectionError as ValkeyAway

from badgerjobs.workspaces.models import Application
from tests.factories import make_application, make_hook
from tests.webhooks.sending import sent
from webhooks.models import Delivery
from webhooks.receiving import limiting
from webhooks.receiving.door import receive

UNKNOWN = "http://testserver/hooks/wrong"


@pytest.fixture(autouse=True)
def _time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)


def test_an_application_takes_as_many_in_a_second_as_it_may(shop: Application) -> None:
    Application.objects.update(requests_per_second=2)
    hook, also, others = make_hook(shop), make_hook(shop, "also"), make_hook(make_application("Charlie's"))
    answers = [sent(hook), sent(also), sent(hook)]
    assert [answer.status for answer in answers] == [202, 202, 429]
    assert (answers[-1].headers["Retry-After"], Delivery.objects.count()) == ("1", 2)
    assert answers[-1].body["detail"] == "Too many calls within a second: send it again."
    assert sent(others).status == 202


def test_the_installation_has_a_limit_too(shop: Application, settings: Any) -> None:
    settings.RATE_LIMIT_PER_SECOND = 1
    hook = make_hook(shop)
    assert [sent(hook).status for _ in range(2)] == [202, 429]


def test_a_hook_may_have_fewer(shop: Application) -> None:
    hook, also = make_hook(shop, rate=1), make_hook(shop, "also")
    assert [sent(hook).status for _ in range(2)] == [202, 429]
    assert sent(also).status == 202


def test_an_application_takes_so_many_bytes_in_a_minute(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiting, "BYTES_PER_MINUTE", 10)
    hook, also, others = make_hook(shop), make_hook(shop, "also"), make_hook(make_application("Charlie's"))
    assert [sent(at, b'"1234"').status for at in (hook, others)] == [202, 202]
    answer = sent(also, b'"1234"')
    assert (answer.status, answer.headers["Retry-After"]) == (429, "60")
    assert "Too many bytes" in answer.body["detail"]
    assert Delivery.objects.count() == 2


def test_what_is_too_long_counts_as_far_as_it_is_read(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiting, "BYTES_PER_MINUTE", 20)
    monkeypatch.setattr(limiting, "MOST_UNHEARD", 8)
    hook = make_hook(shop, max_bytes=6)
    assert [sent(hook, b"x" * count).status for count in (7, 100, 5, 1)] == [413, 413, 202, 429]


def test_so_does_what_does_not_say_how_long_it_is(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiting, "BYTES_PER_MINUTE", 20)
    hook, read = make_hook(shop, max_bytes=6), list[int]()

    def chunked(count: int) -> int:
        source = BytesIO(b"x" * count)
        given: dict[str, Any] = {
            "HTTP_TRANSFER_ENCODING": "chunked",
            "wsgi.input": source,
            "wsgi.input_terminated": True,
        }
        status = receive(RequestFactory().post("/hooks/x", **given), hook.secret).status_code
        read.append(source.tell())
        return int(status)

    assert [chunked(count) for count in (16, 4, 1, 16)] == [413, 202, 429, 429]
    assert read == [16, 4, 1, 0]


def test_who_tries_many_addresses_is_told_to_wait_and_who_knows_one_is_not(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiting, "WRONG_TRIES_PER_MINUTE", 2)
    answers = [sent(UNKNOWN, method=method) for method in ("POST", "GET", "PUT")]
    assert [answer.status for answer in answers] == [404, 404, 429]
    assert answers[-1].headers["Retry-After"] == "60"
    assert sent(make_hook(shop)).status == 202


def test_without_a_counter_nobody_is_refused(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    Application.objects.update(requests_per_second=1)
    hook = make_hook(shop, rate=1)

    def away(*_: Any, **__: Any) -> Any:
        raise ValkeyAway

    monkeypatch.setattr("badgerjobs.web.spared_cache._quiet_until", 0.0)
    monkeypatch.setattr(cache, "_exchanged", away)
    assert [sent(hook).status for _ in range(3)] == [202, 202, 202]


def test_all_that_is_limited_is_counted_in_one_trip(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    trips = []
    exchange = cache.exchange  # type: ignore[attr-defined]

    def counted(*given: Any, **named: Any) -> Any:
        trips.append(given)
        return exchange(*given, **named)

    monkeypatch.setattr(cache, "exchange", counted)
    sent(make_hook(shop, rate=1000))
    assert len(trips) == 1
