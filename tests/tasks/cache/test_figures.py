"""What the page of the cache counts: how keys stand, how they are read, and how their syncs fare."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.cache import cache

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.lib.time_bars import HOUR
from badgerjobs.runs.models import Run
from badgerjobs.sources.models import DataSource
from badgerjobs.workspaces.models import Application
from tasks.cache import figures as figures_module
from tasks.cache import slowest_sources, sync_tallies
from tasks.cache.figures import Figures
from tasks.cache.ranges import range_named
from tasks.models import CachedValue, CacheKey, CacheReads, KeySync
from tests.factories import NOW, make_application, make_key, make_run, make_runnable, make_source, make_sync

pytestmark = pytest.mark.django_db

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    cache.clear()


@pytest.fixture
def shop() -> Application:
    return make_application()


@pytest.fixture
def run(shop: Application) -> Run:
    return make_run(make_runnable(shop, kind="sync"))


def figures(application: Application, of: str = "24h", **fields: Any) -> Figures:
    return Figures(application, range_named(of), **{"now": NOW, "place": UTC, **fields})


def _id_of(moment: datetime) -> UUID:
    """One of those that are made at this moment, whatever was made before it."""
    return UUID(int=uuid7_floor(moment).int + secrets.randbits(32))


def synced(run: Run, key: CacheKey, ago: timedelta, state: str = "succeeded", **fields: Any) -> KeySync:
    """A key of a run of its own, so long ago."""
    other = make_run(run.runnable) if run.runnable else run
    return make_sync(other, key, state, id=_id_of(NOW - ago), **fields)


def test_each_key_is_counted_in_the_state_that_it_is_in(shop: Application) -> None:
    source = make_source(shop)
    make_key(source, "fresh", "1")
    make_key(source, "stale", "12", ttl_s=60)
    make_key(source, "never")
    failing = make_key(source, "failing", "123")
    CachedValue.objects.filter(key=failing).update(error_class="status", error="It answered 500.")
    make_key(make_source(make_application("Charlie's")), "theirs", "1234")
    told = figures(shop, now=NOW + 2 * MINUTE).keys
    assert told.counts == {"fresh": 1, "stale": 1, "unfilled": 1, "failed": 1}
    assert (told.total, told.bytes, told.one_in) == (4, 6, 1)


def test_of_very_many_keys_some_are_read_and_stand_for_all(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_source(shop)
    for number in range(12):
        make_key(source, f"key-{number}", "1234")
    monkeypatch.setattr(figures_module, "MOST_READ", 4)
    told = figures(shop).keys
    assert (told.one_in, told.counts["fresh"], told.bytes) == (3, 12, 48)


def test_what_is_read_at_once_is_told_of_all_that_is_read(shop: Application) -> None:
    for hours, counts in ((0, (5, 1, 0)), (3, (1, 1, 2)), (30, (1000, 0, 0))):
        hits, stale, misses = counts
        CacheReads.objects.create(application=shop, hour=NOW - hours * HOUR, hits=hits, stale=stale, misses=misses)
    CacheReads.objects.create(application=make_application("Charlie's"), hour=NOW, misses=500)
    told = figures(shop)
    assert (tuple(told.reads), told.reads.hit_percent) == ((6, 2, 2), 80)
    assert [(rect.title, rect.count) for rect in told.drawn.hits] == [("09:00 2 at once", 2), ("12:00 6 at once", 6)]


def test_nothing_read_is_no_share_at_all(shop: Application) -> None:
    assert figures(shop).reads.hit_percent is None


@pytest.mark.parametrize(
    ("of", "ago", "is_in"),
    [
        ("24h", 23 * HOUR, True), ("24h", 25 * HOUR, False), ("7d", 6 * DAY, True), ("7d", 8 * DAY, False),
        ("30d", 29 * DAY, True), ("30d", 31 * DAY, False),
    ],
)  # fmt: skip
def test_a_sync_is_counted_in_the_ranges_that_reach_back_to_it(
    shop: Application, run: Run, of: str, ago: timedelta, is_in: bool
) -> None:
    synced(run, make_key(make_source(shop)), ago)
    assert figures(shop, of).syncs.syncs == int(is_in)


def test_syncs_are_told_with_their_failures_and_how_long_they_took(shop: Application, run: Run) -> None:
    key = make_key(make_source(shop))
    for number in range(20):
        synced(run, key, HOUR, duration_ms=100 if number else 5000, bytes=10)
    synced(run, key, HOUR, "failed", duration_ms=100, bytes=None)
    theirs = make_key(make_source(make_application("Charlie's")))
    synced(make_run(make_runnable(theirs.application, kind="sync")), theirs, HOUR, "failed")
    told = figures(shop)
    assert (told.syncs.syncs, told.syncs.failed, told.syncs.bytes) == (21, 1, 200)
    assert not told.syncs.is_sampled
    middle, worst = told.took
    assert middle == pytest.approx(100, rel=0.06)
    assert told.syncs.took(1) == pytest.approx(5000, rel=0.06)
    assert worst == pytest.approx(100, rel=0.06)
    assert [(rect.title, rect.count) for rect in told.drawn.failed] == [("11:00 1 failed", 1)]


def test_of_many_syncs_in_a_bar_some_stand_for_all(
    shop: Application, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_tallies, "SAMPLE", 6)
    monkeypatch.setattr(sync_tallies, "PARTS", 3)
    key = make_key(make_source(shop))
    for minute in range(60):
        synced(run, key, HOUR + minute * MINUTE, duration_ms=100, bytes=10)
    told = figures(shop, "7d")
    assert told.syncs.syncs == 60
    assert told.syncs.bytes == pytest.approx(600, rel=0.1)
    assert sum(told.syncs.durations.values()) == pytest.approx(60, rel=0.1)
    assert told.syncs.is_sampled


def fetched(source: DataSource, *durations: int | None) -> None:
    """A key for each, whose last fetch took so many milliseconds, or that was never fetched."""
    for number, duration in enumerate(durations):
        key = make_key(source, f"{source.tag}-{number}")
        CachedValue.objects.filter(key=key).update(duration_ms=duration)


def test_the_slowest_source_stands_first_however_few_of_all_keys_it_has(shop: Application) -> None:
    fetched(make_source(shop, "fast"), *([10] * 30), None)
    fetched(make_source(shop, "slow"), 900, 40, 50)
    fetched(make_source(shop, "never"), None)
    fetched(make_source(make_application("Charlie's"), "theirs"), 5000)
    told = figures(shop).slowest
    assert [(row.source.tag, row.keys, row.middle, row.worst, row.is_part) for row in told] == [
        ("slow", 3, 50, 900, False),
        ("fast", 30, 10, 10, False),
    ]


def test_of_very_many_keys_each_source_has_its_newest_ones_read(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures_module, "MOST_READ", 6)
    monkeypatch.setattr(slowest_sources, "LEAST", 1)
    fetched(make_source(shop, "fast"), 90_000, *([10] * 10))
    fetched(make_source(shop, "slow"), 900)
    told = figures(shop).slowest
    assert [(row.source.tag, row.keys, row.worst, row.is_part) for row in told] == [
        ("slow", 1, 900, False),
        ("fast", 3, 10, True),
    ]


def test_a_sync_of_a_key_that_is_gone_is_counted(shop: Application, run: Run) -> None:
    key = make_key(make_source(shop))
    synced(run, key, HOUR)
    key.delete()
    assert figures(shop).syncs.syncs == 1


def test_the_keys_that_fail_now_are_listed_and_not_those_that_failed_once(shop: Application, run: Run) -> None:
    source = make_source(shop)
    keys = {name: make_key(source, name, "1") for name in ("well", "fails", "fails-later")}
    for key in keys.values():
        synced(run, key, HOUR, "failed")
    for name, at in (("fails", NOW), ("fails-later", NOW + MINUTE)):
        CachedValue.objects.filter(key=keys[name]).update(error_class="status", error="It answered 500.", tried_at=at)
    assert [key.name for key in figures(shop).failing] == ["fails-later", "fails"]


def test_the_largest_values_are_listed(shop: Application) -> None:
    source = make_source(shop)
    for size in (3, 30, 0, 300):
        make_key(source, f"key-{size}", "x" * size or None)
    assert [(row["name"], row["bytes"]) for row in figures(shop).largest] == [
        ("key-300", 300),
        ("key-30", 30),
        ("key-3", 3),
    ]


def test_what_is_long_over_is_counted_once(shop: Application, run: Run) -> None:
    key = make_key(make_source(shop))
    synced(run, key, 3 * DAY)
    synced(run, key, HOUR)
    assert figures(shop, "30d").syncs.syncs == 2
    KeySync.objects.all().delete()
    assert figures(shop, "30d", now=NOW + HOUR).syncs.syncs == 1


def test_without_the_patience_for_all_of_it_the_rest_is_counted_by_the_next_look(
    shop: Application, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced(run, make_key(make_source(shop)), 3 * DAY)
    monkeypatch.setattr(sync_tallies, "PATIENCE_S", 0)
    first = figures(shop, "30d")
    assert (first.is_counted, first.syncs.syncs) == (False, 0)
    monkeypatch.setattr(sync_tallies, "PATIENCE_S", 60)
    assert (figures(shop, "30d").is_counted, figures(shop, "30d").syncs.syncs) == (True, 1)


def test_a_value_of_a_key_is_never_read_for_the_list_of_those_that_fail(shop: Application, run: Run) -> None:
    key = make_key(make_source(shop), body="x" * 100)
    synced(run, key, HOUR, "failed")
    CachedValue.objects.filter(key=key).update(error_class="status")
    [row] = figures(shop).failing
    assert "body" in row.value.get_deferred_fields()
    assert "configuration" in row.source.get_deferred_fields()
