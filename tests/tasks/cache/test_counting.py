"""How reads went is counted in the process and added to the hour's row."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.workspaces.models import Application
from tasks.cache import counting
from tasks.models import CacheReads
from tests.callers import Caller
from tests.factories import NOW, make_application
from tests.tasks.cache.stored import Clock, keep

HOUR = datetime(2026, 3, 2, 12, tzinfo=UTC)


def written(application: Application) -> list[tuple[Any, ...]]:
    rows = CacheReads.objects.for_application(application).order_by("hour")
    return list(rows.values_list("hour", "hits", "stale", "misses"))


def test_many_reads_at_once_are_counted_in_one_go_of_each_sort(
    alice: Caller, clock: Clock, asked: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        keep(alice.application, f"fresh-{number}", "1")
        keep(alice.application, f"old-{number}", "1", ttl_s=60, stale_while_revalidate_s=0)
    clock.goes_on(61)
    calls: list[tuple[str, int]] = []
    monkeypatch.setattr(counting, "count", lambda _owner, _now, how, times=1: calls.append((how, times)))
    alice.get("/cache/?" + "&".join(f"key={sort}-{number}" for sort in ("fresh", "old") for number in range(6)))
    assert calls == [("hit", 5), ("miss", 5)]


def test_reads_are_counted_as_what_they_were(alice: Caller, clock: Clock, asked: list[list[int]]) -> None:
    keep(alice.application, "fresh", "1")
    keep(alice.application, "stale", "1", ttl_s=60)
    keep(alice.application, "old", "1", ttl_s=60, stale_while_revalidate_s=0)
    clock.goes_on(61)
    for name in ("fresh", "fresh", "fresh", "stale", "stale", "old", "unknown"):
        alice.get(f"/cache/{name}")
    alice.get("/cache/?key=fresh&key=stale&key=old&key=unknown")
    counting.write_down()
    assert written(alice.application) == [(HOUR, 4, 3, 2)]


def test_a_304_is_a_hit(alice: Caller, clock: Clock) -> None:
    keep(alice.application)
    alice.get("/cache/product-1", **{"If-None-Match": "*"})
    counting.write_down()
    assert written(alice.application) == [(HOUR, 1, 0, 0)]


@pytest.mark.django_db
def test_what_is_counted_later_is_added_by_hour_and_application_in_one_statement() -> None:
    one, other = make_application(), make_application("Charlie's")
    now = NOW.timestamp()
    counting.count(one.pk, now, "hit", 3)
    counting.write_down()
    counting.count(one.pk, now + 3_599, "hit", 2)
    counting.count(one.pk, now + 3_600, "stale")
    counting.count(other.pk, now, "miss")
    with CaptureQueriesContext(connection) as queries:
        counting.write_down()
        counting.write_down()
    assert len(queries) == 1
    assert written(one) == [(HOUR, 5, 0, 0), (HOUR + timedelta(hours=1), 0, 1, 0)]
    assert written(other) == [(HOUR, 0, 0, 1)]


@pytest.mark.django_db
def test_of_an_application_that_is_gone_nothing_is_kept_and_the_others_are() -> None:
    gone, here = make_application(), make_application("Charlie's")
    for application in (gone, here):
        counting.count(application.pk, NOW.timestamp(), "hit")
    gone.delete()
    counting.write_down()
    assert written(here) == [(HOUR, 1, 0, 0)]
    assert CacheReads.objects.count() == 1


@pytest.mark.django_db
def test_while_the_database_is_away_it_is_kept(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise OperationalError("The database is away.")

    counting.count(shop.pk, NOW.timestamp(), "hit")
    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", away)
        counting.write_down()
    counting.count(shop.pk, NOW.timestamp(), "hit")
    counting.write_down()
    assert written(shop) == [(HOUR, 2, 0, 0)]
