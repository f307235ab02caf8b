"""What the overview says needs a person."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badgerjobs.lib.time_bars import HOUR
from badgerjobs.panel import moment, needs
from badgerjobs.runs.models import Incident, Run, Runnable, State
from badgerjobs.workspaces.models import Application, Role, Token
from tests.clients import browser_in
from tests.factories import (
    make_application,
    make_async_job,
    make_collection,
    make_hook,
    make_job,
    make_run,
    make_runnable,
    make_task,
    make_token,
)
from tests.panel.overview.past import DAY, MINUTE, NOW, SECOND, ran
from tests.panel.overview.readers import address
from tests.slurps.collecting.held import hold_rows
from tests.slurps.storing.loads import load

pytestmark = pytest.mark.django_db


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


def test_tokens_that_nobody_used_hide_none_that_ends_soon(shop: Application) -> None:
    for number in range(needs.LISTED):
        make_token(shop, label=f"old-{number}", expires_at=NOW - 2 * DAY)
    make_token(shop, label="deploy", expires_at=NOW + HOUR)
    assert [token.label for token in wants(shop).tokens] == ["deploy"]


def test_what_has_waited_longest_is_found_whatever_is_counted(
    shop: Application, runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moment, "COUNTED", 2)
    for number, (queue, priority, minutes) in enumerate(
        [("io", 10, 1), ("io", 10, 2), ("io", 90, 30), ("compute", 5, 20)]
    ):
        make_run(runnable, queue=queue, priority=priority, due_at=NOW - minutes * MINUTE, number=number)
    make_run(make_runnable(make_application("Charlie's")), due_at=NOW - DAY)
    found = moment.look(shop.pk, NOW)
    assert (found.queued, found.untaken(NOW)) == (2, 30 * MINUTE)


def test_a_failed_job_is_called_by_its_name(shop: Application) -> None:
    ran(make_job(shop, "hello", name="Hello, badger").runnable, NOW - MINUTE, State.FAILED)
    assert [(job.name, job.title) for job in wants(shop).failed] == [("hello", "Hello, badger")]


def of_kind(kind: str, application: Application) -> Runnable:
    """A job, a task or a hook, called `Hello, badger`."""
    makes: dict[str, Callable[..., Any]] = {
        "http": make_job,
        "sync": make_task,
        "delivery": make_hook,
        "slurp": make_async_job,
    }
    found: Runnable = makes[kind](application, "hello", name="Hello, badger").runnable
    return found


PAGES = [("http", "jobs:job"), ("sync", "tasks:task"), ("delivery", "webhooks:hook"), ("slurp", "collections:job")]


@pytest.mark.parametrize(("kind", "page"), PAGES)
def test_whatever_failed_or_was_paused_is_called_by_its_name_and_leads_to_its_page(
    shop: Application, alice: Client, kind: str, page: str
) -> None:
    runnable = of_kind(kind, shop)
    ran(runnable, timezone.now() - MINUTE, State.FAILED, number=0)
    there = f'href="{reverse(page, args=[shop.slug, "hello"])}">Hello, badger</a>'
    assert there in alice.get(address(shop)).content.decode()
    paused_by_the_engine(runnable)
    said = alice.get(address(shop)).content.decode()
    assert there in said
    assert f'action="{reverse(page.partition(":")[0] + ":resume", args=[shop.slug, "hello"])}"' in said


def paused_by_the_engine(runnable: Runnable, reason: str = "20 runs in a row failed.", **columns: object) -> None:
    given = {"enabled": False, "next_run_at": None, "paused_at": NOW, "pause_reason": reason, "failures_in_row": 20}
    Runnable.objects.filter(pk=runnable.pk).update(**{**given, **columns})
    Incident.objects.create(
        application=runnable.application, runnable=runnable, trouble="paused", sentence="Paused.", opened_at=NOW
    )


def test_what_kept_failing_and_was_paused_needs_somebody_and_is_told_once(
    shop: Application, runnable: Runnable, alice: Client
) -> None:
    ran(runnable, NOW - HOUR, State.FAILED)
    assert len(wants(shop).failed) == 1
    paused_by_the_engine(runnable, breaker="open", paused_until=timezone.now() + HOUR)
    found = wants(shop)
    assert ([job.name for job in found.paused], found.failed, found.count) == (["reprice"], [], 1)
    assert (found.paused[0].reason, found.paused[0].failures) == ("20 runs in a row failed.", 20)

    page = alice.get(address(shop)).content.decode()
    assert "is paused: 20 runs in a row failed." in page
    assert "whether it is well again" in page
    alice.post(reverse("jobs:resume", args=[shop.slug, "reprice"]))
    assert not wants(shop).paused
    assert not Incident.objects.filter(closed_at=None).exists()


def test_what_can_do_no_better_stays_until_somebody_resumes_it(
    shop: Application, runnable: Runnable, alice: Client
) -> None:
    paused_by_the_engine(runnable, "The endpoint answered 410 Gone.")
    page = alice.get(address(shop)).content.decode()
    assert "is paused: The endpoint answered 410 Gone." in page
    assert "It stays so until somebody resumes it." in page


def test_who_may_only_look_is_led_to_what_is_paused(shop: Application, runnable: Runnable) -> None:
    paused_by_the_engine(runnable)
    page = browser_in(shop, Role.VIEWER).get(address(shop)).content.decode()
    assert "Look at reprice" in page
    assert reverse("jobs:resume", args=[shop.slug, "reprice"]) not in page


def test_a_paused_job_is_called_by_its_name(shop: Application) -> None:
    paused_by_the_engine(make_job(shop, "hello", name="Hello, badger").runnable)
    assert [(job.name, job.title) for job in wants(shop).paused] == [("hello", "Hello, badger")]


def test_what_a_person_paused_and_what_is_anothers_needs_nobody(shop: Application, runnable: Runnable) -> None:
    Runnable.objects.filter(pk=runnable.pk).update(enabled=False, next_run_at=None, paused_at=NOW)
    paused_by_the_engine(make_runnable(make_application("Charlie's")))
    assert not wants(shop).paused


def outage(application: Application, **fields: object) -> Incident:
    given = {"trouble": "late", "sentence": "Nothing was dispatched for a while.", "overdue": 61, "opened_at": NOW}
    return Incident.objects.create(application=application, **{**given, **fields})


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({}, 1),
        ({"closed_at": NOW - HOUR}, 1),
        ({"closed_at": NOW - 2 * DAY}, 0),
        ({"overdue": 0, "closed_at": NOW - HOUR}, 0),
        ({"overdue": 0}, 0),
    ],
    ids=["not over", "over lately", "over long ago", "late, and then well", "late now, which is told by what waits"],
)
def test_an_outage_needs_somebody_until_a_day_after_it(
    shop: Application, fields: dict[str, object], count: int
) -> None:
    outage(shop, **fields)
    outage(make_application("Charlie's"))
    assert (len(wants(shop).outages), wants(shop).count) == (count, count)


def test_after_an_outage_its_page_says_what_was_missed_and_leads_to_it(
    shop: Application, runnable: Runnable, alice: Client
) -> None:
    outage(shop, closed_at=timezone.now())
    page = alice.get(address(shop)).content.decode()
    assert "1 thing needs you" in page
    assert "Nothing was dispatched for a while." in page
    assert f"{reverse('runs:list', args=[shop.slug])}?skip_reason=missed" in page


def test_a_probe_that_is_just_to_be_made_is_none_some_time_ago(
    shop: Application, runnable: Runnable, alice: Client
) -> None:
    paused_by_the_engine(runnable, breaker="open", paused_until=timezone.now() - 31 * SECOND)
    assert "One run is about to try whether it is well again." in alice.get(address(shop)).content.decode()


def test_a_result_that_waits_for_approval_needs_somebody(shop: Application) -> None:
    collection = make_collection(shop, async_job=make_async_job(shop), name="prices")
    load(collection, [{"id": 1}])
    assert wants(shop).held == []
    held = hold_rows(collection, [])
    other = make_application("Charlie's")
    assert (wants(shop).held, wants(shop).count, wants(other).held) == ([held], 1, [])
    Run.objects.update(state=State.SUCCEEDED, started_at=NOW, finished_at=NOW)
    page = browser_in(shop, Role.VIEWER).get(address(shop)).content.decode()
    assert "has a result that waits for approval" in page
    assert "It has no rows." in page
    assert f'href="{reverse("collections:collection", args=[shop.slug, "prices"])}"' in page
