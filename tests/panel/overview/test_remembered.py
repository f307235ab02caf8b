"""What the overview counts once and remembers, and what it counts again."""

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCacheClient
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from redis.exceptions import ConnectionError as RedisConnectionError

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.lib.time_bars import HOUR, Span
from badgerjobs.panel import counting
from badgerjobs.panel.tallies import Tally
from badgerjobs.runs.models import Run, Runnable, State
from badgerjobs.web import remembering
from badgerjobs.web.counted import key_of
from badgerjobs.workspaces.models import Application
from tests.panel.overview.past import MINUTE, NOW, SECOND, ran
from tests.panel.overview.readers import address, overview, statements

pytestmark = pytest.mark.django_db


def test_what_is_over_is_counted_once(shop: Application, runnable: Runnable) -> None:
    ran(runnable, NOW - 5 * HOUR)
    assert overview(shop).total.runs() == 1
    Run.objects.all().delete()
    assert overview(shop).total.runs() == 1, "as when old runs were pruned"


@pytest.mark.parametrize(
    ("ago", "state", "later", "again"),
    [
        (SECOND, State.SUCCEEDED, 5 * SECOND, False),
        (SECOND, State.SUCCEEDED, 10 * SECOND, True),
        (10 * MINUTE, State.SUCCEEDED, 10 * SECOND, False),
        (10 * MINUTE, State.RETRYING, 10 * SECOND, False),
        (10 * MINUTE, State.RETRYING, 60 * SECOND, True),
        (5 * HOUR, State.RETRYING, 9 * MINUTE, False),
        (5 * HOUR, State.RETRYING, 11 * MINUTE, True),
        (5 * HOUR, State.FAILED, 11 * MINUTE, False),
    ],
)
def test_what_may_still_change_is_counted_again_the_later_the_older_it_is(
    shop: Application, runnable: Runnable, ago: timedelta, state: State, later: timedelta, *, again: bool
) -> None:
    run = ran(runnable, NOW - ago, state)
    first = overview(shop).total.of("aborted")
    Run.objects.filter(pk=run.pk).update(state=State.ABORTED)
    now = NOW + later
    assert (first, overview(shop, now=now).total.of("aborted")) == (0, int(again))


def test_without_what_was_remembered_everything_is_counted_anew(shop: Application, runnable: Runnable) -> None:
    for back in range(24):
        ran(runnable, NOW - back * HOUR)
    before = overview(shop).day
    cache.clear()
    assert overview(shop).day == before


def test_with_the_cache_away_everything_is_counted(shop: Application, runnable: Runnable) -> None:
    ran(runnable, NOW - 5 * HOUR)
    with patch.object(RedisCacheClient, "get_many", side_effect=RedisConnectionError):
        assert overview(shop).total.runs() == 1


def test_a_value_in_the_cache_that_is_none_of_ours_is_none(shop: Application, runnable: Runnable) -> None:
    span = Span(datetime(2026, 3, 2, 7, tzinfo=UTC), HOUR)
    ran(runnable, span.start)
    key = cache.make_key(key_of(f"tally:{shop.pk}", span))
    cache._cache.get_client().set(key, b"no JSON")  # type: ignore[attr-defined]
    assert overview(shop).total.runs() == 1


def test_while_somebody_counts_others_get_what_was_counted_before(shop: Application, runnable: Runnable) -> None:
    ran(runnable, NOW - SECOND)
    assert overview(shop).total.runs() == 1
    ran(runnable, NOW)
    later = NOW + MINUTE
    assert remembering.take_turn(f"tally:{shop.pk}")
    assert (overview(shop, now=later).total.runs(), statements(shop, now=later)) == (1, 0)
    remembering.end_turn(f"tally:{shop.pk}")
    assert overview(shop, now=later).total.runs() == 2


def test_what_was_never_counted_while_somebody_counts_is_said_to_be_counted(
    shop: Application, runnable: Runnable, alice: Client
) -> None:
    remembering.take_turn(f"tally:{shop.pk}")
    page = alice.get(address(shop)).content.decode()
    assert "counting…" in page
    assert 'hx-trigger="every 3s"' in page


def test_a_page_counts_no_longer_than_it_may(
    shop: Application, runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    for back in (1, 20, 6 * 24):
        ran(runnable, NOW - back * HOUR)
    monkeypatch.setattr(counting, "PATIENCE_S", 0)
    assert not overview(shop, "7d").is_counted
    monkeypatch.setattr(counting, "PATIENCE_S", 60)
    shown = overview(shop, "7d")
    assert (shown.is_counted, shown.total.runs()) == (True, 3)


def test_a_watched_page_counts_only_what_is_young(shop: Application, runnable: Runnable) -> None:
    ran(runnable, NOW - 20 * HOUR)
    assert statements(shop) == 1
    assert statements(shop, now=NOW + 3 * SECOND) == 0
    with CaptureQueriesContext(connection) as queries:
        overview(shop, now=NOW + 30 * SECOND).total.runs()
    assert len(queries) == 1
    young = uuid7_floor(NOW - HOUR)
    assert str(young) not in queries[0]["sql"]


def test_tallies_survive_the_cache() -> None:
    tally = Tally()
    tally.add("http", "failed", None, 3)
    tally.add("http", "succeeded", 12, 4)
    assert Tally.from_plain(tally.as_plain()) == tally
