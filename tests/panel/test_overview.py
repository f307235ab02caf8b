"""An application's overview: what it counts, what it says needs a person, and what it costs."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from unittest.mock import patch
from uuid import UUID

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.panel import counting, moment, needs, ranges
from badgerjobs.panel.kinds import KINDS
from badgerjobs.panel.overview import Overview
from badgerjobs.panel.ranges import RANGES
from badgerjobs.panel.tallies import FIVE_MINUTES, HOUR, Span, Tally
from badgerjobs.runs.kinds import RUN_KINDS
from badgerjobs.runs.models import Run, Runnable, State
from badgerjobs.web import remembering
from badgerjobs.workspaces.models import Application, Member, Role, Token
from tests.factories import make_application, make_job, make_member, make_run, make_runnable, make_token

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 12, 34, 56, tzinfo=UTC)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
PARTS = ["needs", "figures", "live", "day", "next", "kinds"]


@pytest.fixture
def shop() -> Application:
    return make_application("Example Shop", "shop")


@pytest.fixture
def runnable(shop: Application) -> Runnable:
    return make_job(shop, "reprice").runnable


def browser_of(member: Member) -> Client:
    client = Client(headers={"Accept": "text/html"})
    client.force_login(member.user, settings.AUTHENTICATION_BACKENDS[0])
    return client


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_of(make_member(shop.workspace))


_numbers = iter(range(1, 1_000_000))


def id_at(when: datetime) -> UUID:
    """An id as it would have been made at that moment."""
    return UUID(int=uuid7_floor(when).int + next(_numbers))


def ran(runnable: Runnable, when: datetime, state: State = State.SUCCEEDED, late_ms: int = 30, **fields: object) -> Run:
    began = when + timedelta(milliseconds=late_ms)
    ended = {} if state in {State.RUNNING, State.QUEUED, State.RETRYING} else {"finished_at": began + SECOND / 2}
    started = {} if state == State.QUEUED else {"started_at": began}
    given = {"attempts": 1, "due_at": when, "created_at": when, "number": next(_numbers)}
    return make_run(runnable, state, id=id_at(when), **{**given, **started, **ended, **fields})


def overview(shop: Application, of: str = "24h", now: datetime = NOW) -> Overview:
    return Overview(shop, RANGES[of], now=now, place=UTC)


def statements(shop: Application, of: str = "24h", now: datetime = NOW) -> int:
    """How many statements counting costs."""
    with CaptureQueriesContext(connection) as queries:
        overview(shop, of, now).total.runs()
    return len(queries)


def address(shop: Application) -> str:
    return reverse("panel:overview", args=[shop.slug])


# What is counted.


@pytest.mark.parametrize(
    ("of", "ago", "is_in"),
    [
        ("1h", 3 * MINUTE, True),
        ("1h", 54 * MINUTE, True),
        ("1h", 61 * MINUTE, False),
        ("24h", 90 * MINUTE, True),
        ("24h", 23 * HOUR, True),
        ("24h", 25 * HOUR, False),
        ("7d", 25 * HOUR, True),
        ("7d", 6 * DAY, True),
        ("7d", 8 * DAY, False),
    ],
)
def test_a_run_is_counted_in_the_ranges_that_reach_back_to_it(
    shop: Application, runnable: Runnable, of: str, ago: timedelta, is_in: bool
) -> None:
    ran(runnable, NOW - ago)
    assert overview(shop, of).total.runs() == int(is_in)


def test_each_run_is_in_the_bar_of_the_time_in_which_it_was_made(shop: Application, runnable: Runnable) -> None:
    for back in (0, 1, 1, 5, 23):
        ran(runnable, NOW - back * HOUR)
    drawn = overview(shop).day.succeeded
    assert [(bar.title, bar.count) for bar in drawn] == [
        ("13:00 1 succeeded", 1),
        ("07:00 1 succeeded", 1),
        ("11:00 2 succeeded", 2),
        ("12:00 1 succeeded", 1),
    ]
    assert max(bar.height for bar in drawn) == 96


def test_runs_are_told_apart_by_how_they_ended(shop: Application, runnable: Runnable) -> None:
    for state in (*State, State.SUCCEEDED, State.SUCCEEDED):
        ran(runnable, NOW - 2 * MINUTE, state)
    shown = overview(shop)
    assert shown.succeeded_percent == 75
    assert shown.total.runs() == len(State) + 1, "skipped occurrences are no runs"
    assert (shown.day.succeeded_count, shown.day.failed_count, shown.day.skipped_count) == (3, 1, 1)


def test_runs_of_another_application_are_not_counted(shop: Application, runnable: Runnable) -> None:
    theirs = make_job(make_application("Charlie's"), "reprice", now=NOW, run_every="PT1M").runnable
    for state in State:
        ran(theirs, NOW - MINUTE, state)
    make_token(theirs.application, expires_at=NOW + DAY)
    shown = overview(shop, now=NOW)
    assert (shown.total.runs(), shown.live[0][1]["said"]) == (0, "0 ran, 0 failed, 0 running, 0 due")
    assert (shown.moment.running, shown.moment.queued, shown.next, shown.needs.count) == (0, 0, [], 0)
    assert shown.moment.has_ending_tokens is False


def test_lateness_is_that_of_first_attempts(shop: Application, runnable: Runnable) -> None:
    for late in (20, 20, 20, 20, 900):
        ran(runnable, NOW - HOUR, late_ms=late)
    ran(runnable, NOW - HOUR, late_ms=60_000, attempts=2)
    middle, worst = overview(shop).lateness
    assert middle == pytest.approx(20, rel=0.06)
    assert worst == pytest.approx(900, rel=0.06)


@pytest.mark.parametrize("of", list(RANGES))
def test_a_range_is_divided_without_gaps_and_ends_now(of: str) -> None:
    for place in (UTC, timezone.get_fixed_timezone(330), timezone.get_fixed_timezone(-300)):
        starts = ranges.starts(RANGES[of], NOW, place)
        assert len(starts) == RANGES[of].bars
        assert starts[-1] <= NOW < starts[-1] + RANGES[of].length
        spans = ranges.wanted(RANGES[of], NOW, place)
        assert spans[0].start == starts[0]
        assert spans[-1].start <= NOW < spans[-1].end
        assert all(one.end == after.start for one, after in pairwise(spans))


def test_the_bars_of_a_week_begin_with_the_readers_day() -> None:
    place = timezone.get_fixed_timezone(-300)
    assert {start.astimezone(place).hour for start in ranges.starts(RANGES["7d"], NOW, place)} == {0, 6, 12, 18}


# What is remembered.


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


def test_with_the_cache_away_everything_is_counted(
    shop: Application, runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran(runnable, NOW - 5 * HOUR)
    monkeypatch.setattr(remembering, "_quiet_until", 0.0)
    with patch.object(cache, "get_many", side_effect=RedisConnectionError), CaptureQueriesContext(connection):
        assert overview(shop).total.runs() == 1


def test_a_value_in_the_cache_that_is_none_of_ours_is_none(shop: Application, runnable: Runnable) -> None:
    span = Span(datetime(2026, 3, 2, 7, tzinfo=UTC), HOUR)
    ran(runnable, span.start)
    key = cache.make_key(counting._key(shop.pk, span))
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


# What needs a person.


def wants(shop: Application, now: datetime = NOW) -> needs.Needs:
    return needs.needs(shop, moment.look(shop.pk, now), now)


def test_a_job_whose_last_run_failed_needs_somebody(shop: Application, runnable: Runnable) -> None:
    for back in (30, 20, 10):
        ran(runnable, NOW - back * MINUTE, State.FAILED, error="It answered 503.", attempts=4)
    [found] = wants(shop).failed
    assert (found.name, found.error, found.attempts, found.again) == ("reprice", "It answered 503.", 4, False)
    assert found.since > NOW - 11 * MINUTE


@pytest.mark.parametrize(
    ("later", "names", "again"),
    [
        (State.SUCCEEDED, [], None),
        (State.ABORTED, [], None),
        (State.SKIPPED, ["reprice"], False),
        (State.QUEUED, ["reprice"], True),
        (State.RUNNING, ["reprice"], True),
        (State.RETRYING, ["reprice"], True),
    ],
)
def test_what_came_after_a_failure_decides_whether_it_still_matters(
    shop: Application, runnable: Runnable, later: State, names: list[str], again: bool | None
) -> None:
    ran(runnable, NOW - 10 * MINUTE, State.FAILED)
    ran(runnable, NOW - MINUTE, later)
    found = wants(shop).failed
    assert [job.name for job in found] == names
    assert {job.again for job in found} <= {again}


@pytest.mark.parametrize(("ago", "count"), [(6 * DAY, 1), (8 * DAY, 0)])
def test_an_old_failure_is_history(shop: Application, runnable: Runnable, ago: timedelta, count: int) -> None:
    ran(runnable, NOW - ago, State.FAILED)
    assert wants(shop).count == count


def test_failures_of_a_deleted_job_and_of_others_need_nobody(shop: Application) -> None:
    gone = make_runnable(shop, name="gone")
    ran(gone, NOW - MINUTE, State.FAILED)
    gone.delete()
    ran(make_runnable(make_application("Charlie's")), NOW - MINUTE, State.FAILED)
    assert wants(shop).count == 0


def test_of_many_failing_jobs_the_newest_are_named_and_the_rest_is_told(shop: Application) -> None:
    for number in range(needs.LISTED + 2):
        ran(make_runnable(shop, name=f"job-{number}"), NOW - number * MINUTE, State.FAILED)
    found = wants(shop)
    assert ([job.name for job in found.failed][:2], len(found.failed)) == (["job-0", "job-1"], needs.LISTED)
    assert found.more_failed


@pytest.mark.parametrize(("late_s", "count"), [(20, 0), (40, 1)])
def test_runs_that_no_worker_takes_need_somebody(
    shop: Application, runnable: Runnable, late_s: int, count: int
) -> None:
    for _ in range(3):
        ran(runnable, NOW - late_s * SECOND, State.QUEUED)
    found = wants(shop).stuck
    assert [one.queued for one in found] == [3] * count


@pytest.mark.parametrize(("late_s", "count"), [(9, 0), (11, 1), (-60, 0)])
def test_occurrences_that_nobody_queues_need_somebody(shop: Application, late_s: int, count: int) -> None:
    make_runnable(shop, next_run_at=NOW - late_s * SECOND)
    assert [one.queued for one in wants(shop).stuck] == [None] * count


@pytest.mark.parametrize(
    ("ends", "used", "is_told"),
    [
        (6 * DAY, None, True),
        (8 * DAY, None, False),
        (-2 * DAY, -2 * DAY - HOUR, True),
        (-2 * DAY, -20 * DAY, False),
        (-2 * DAY, None, False),
        (-8 * DAY, -8 * DAY, False),
        (None, None, False),
    ],
)
def test_tokens_that_end_soon_or_ended_in_use_need_somebody(
    shop: Application, ends: timedelta | None, used: timedelta | None, is_told: bool
) -> None:
    make_token(shop, label="deploy", expires_at=NOW + ends if ends else None)
    Token.objects.update(last_used_at=NOW + used if used else None)
    assert [token.label for token in wants(shop).tokens] == ["deploy"] * int(is_told)


def test_a_token_whose_successor_is_there_needs_nobody(shop: Application) -> None:
    make_token(shop, label="deploy", expires_at=NOW + DAY)
    make_token(shop, label="deploy")
    assert wants(shop).tokens == []


def test_a_revoked_token_needs_nobody(shop: Application) -> None:
    make_token(shop, expires_at=NOW + DAY)
    Token.objects.update(revoked_at=NOW)
    assert wants(shop).tokens == []


# The strip of now.


def test_the_strip_tells_what_ran_what_runs_and_what_is_due(shop: Application) -> None:
    runnable = make_job(shop, "reprice", now=NOW, run_every="PT1M").runnable
    Runnable.objects.update(next_run_at=NOW + MINUTE)
    ran(runnable, NOW - 300 * SECOND)
    ran(runnable, NOW - 210 * SECOND, State.FAILED, finished_at=NOW - 200 * SECOND)
    ran(runnable, NOW - 100 * SECOND, State.RUNNING)
    ran(runnable, NOW - 60 * SECOND, finished_at=NOW - 30 * SECOND)
    ran(runnable, NOW - 700 * SECOND)
    [(words, lane)] = overview(shop).live
    assert words == "HTTP jobs"
    assert lane["ended"] == "M300 4v16"
    assert lane["failed"] == "M400 2v20"
    assert (lane["running"], lane["count"]) == ("M500 12H600", 1)
    assert lane["stretches"] == "M540 12H570"
    assert lane["due"] == "".join(f"M{600 + 60 * minute} 4v16" for minute in range(1, 6))


def test_what_is_overdue_stands_where_now_is(shop: Application) -> None:
    make_job(shop, "reprice", now=NOW, run_every="PT2M")
    Runnable.objects.update(next_run_at=NOW - 3 * DAY)
    assert overview(shop).live[0][1]["due"] == "M600 4v16M720 4v16M840 4v16"


def test_the_strip_is_drawn_once_for_all_who_look(shop: Application, runnable: Runnable) -> None:
    assert overview(shop).live
    with CaptureQueriesContext(connection) as queries:
        assert overview(shop, now=NOW + SECOND).live
    assert len(queries) == 0
    ran(runnable, NOW)
    assert overview(shop, now=NOW + 2 * SECOND).live[0][1]["ended"]


def test_however_many_runs_there_are_the_strip_reads_a_bounded_number(shop: Application, runnable: Runnable) -> None:
    for _ in range(30):
        ran(runnable, NOW - 10 * SECOND)
    assert overview(shop).live[0][1]["said"].startswith("10 ran")


# The page.


@pytest.fixture
def busy(shop: Application, runnable: Runnable) -> Iterator[None]:
    now = timezone.now()
    make_job(shop, "second", now=now, run_every="PT5M")
    for state in State:
        ran(runnable, now - MINUTE, state)
    ran(make_job(shop, "failing").runnable, now - MINUTE, State.FAILED, error="It answered 503.")
    return iter(())


@pytest.mark.usefixtures("busy")
def test_the_page_has_every_part_and_each_part_comes_alone(shop: Application, alice: Client) -> None:
    page = alice.get(f"{address(shop)}?range=1h").content.decode()
    for part in PARTS:
        answer = alice.get(f"{address(shop)}?range=1h", headers={"HX-Request": "true", "HX-Target": part})
        fragment = answer.content.decode().strip()
        assert f'id="{part}"' in fragment.partition(">")[0]
        assert f'hx-get="{address(shop)}?range=1h"' in fragment
        assert "<main" not in fragment
        assert f'id="{part}"' in page


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("of", [*RANGES, "nonsense"])
def test_the_page_costs_few_statements_and_fewer_the_second_time(shop: Application, alice: Client, of: str) -> None:
    alice.get("/keys/")  # what a session costs once
    cache.clear()
    cold, warm = (cost(alice, f"{address(shop)}?range={of}") for _ in range(2))
    assert cold <= 12
    assert warm <= 9


@pytest.mark.usefixtures("busy")
def test_what_a_part_costs_is_less_than_the_page(shop: Application, alice: Client) -> None:
    alice.get(address(shop))
    costs = {part: cost(alice, address(shop), **{"HX-Request": "true", "HX-Target": part}) for part in PARTS}
    assert max(costs.values()) <= 8
    assert min(costs["live"], costs["day"], costs["kinds"]) <= 5


def cost(browser: Client, at: str, **headers: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(at, headers=headers).status_code == 200
    return len([query for query in queries if "SAVEPOINT" not in query["sql"]])


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(("role", "buttons"), [(Role.EDITOR, 1), (Role.VIEWER, 0)])
def test_who_may_not_replay_sees_no_button_for_it(shop: Application, role: Role, buttons: int) -> None:
    browser = browser_of(make_member(shop.workspace, role, f"{role}@example.com"))
    page = browser.get(address(shop)).content.decode()
    assert "It answered 503." in page
    assert page.count(">Replay</button>") == buttons


def test_a_range_that_there_is_none_of_is_a_day(shop: Application, runnable: Runnable, alice: Client) -> None:
    page = alice.get(f"{address(shop)}?range=1y").content.decode()
    assert '<a href="?range=24h" aria-current="true">' in page


def test_what_is_due_next_is_told_in_its_zone_and_in_utc_where_that_is_none_any_more(
    shop: Application, alice: Client
) -> None:
    make_job(shop, "daily", preset="daily")
    make_job(shop, "lost", cron="0 8 * * *")
    Runnable.objects.update(next_run_at=datetime(2036, 3, 3, 13, tzinfo=UTC))
    Runnable.objects.filter(name="lost").update(time_zone="Atlantis/Capital")
    page = alice.get(address(shop)).content.decode()
    assert page.count("Mon 3 Mar, 08:00 EST · 13:00 UTC") == 1
    assert page.count("Mon 3 Mar, 13:00 UTC") == 1


def test_nothing_that_needs_anybody_is_said(shop: Application, runnable: Runnable, alice: Client) -> None:
    assert "Nothing needs you" in alice.get(address(shop)).content.decode()


def test_what_a_run_says_is_no_markup(shop: Application, runnable: Runnable, alice: Client) -> None:
    ran(runnable, timezone.now() - MINUTE, State.FAILED, error="<script>alert(1)</script>")
    page = alice.get(address(shop)).content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_every_kind_of_run_has_words() -> None:
    assert set(KINDS) == set(RUN_KINDS)


def test_young_spans_are_short_and_old_ones_are_hours() -> None:
    lengths = [span.length for span in ranges.wanted(RANGES["24h"], NOW, UTC)]
    assert lengths == [HOUR] * 21 + [FIVE_MINUTES] * 31
