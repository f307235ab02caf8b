"""The page of the overview: its parts, what they cost, and what it says to whom."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badgerjobs.panel.kinds import KINDS
from badgerjobs.panel.ranges import RANGES
from badgerjobs.runs.kinds import RUN_KINDS
from badgerjobs.runs.models import Runnable, State
from badgerjobs.workspaces.models import Application, Role
from tests.factories import make_async_job, make_job, make_member, make_task
from tests.panel.overview.past import MINUTE, ran
from tests.panel.overview.readers import address, browser_of

pytestmark = pytest.mark.django_db

PARTS = ["needs", "figures", "live", "day", "next", "kinds"]


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


def test_what_is_due_next_bears_the_name_of_its_job(shop: Application, alice: Client) -> None:
    make_job(shop, "hello", name="Hello, badger", now=timezone.now(), run_every="PT1H")
    page = alice.get(address(shop)).content.decode()
    assert f'href="{reverse("jobs:job", args=[shop.slug, "hello"])}">Hello, badger</a>' in page


def test_what_is_due_next_leads_to_its_own_page_whatever_it_is(shop: Application, alice: Client) -> None:
    for made in (make_task(shop, "a-task"), make_async_job(shop, "an-async-job")):
        Runnable.objects.filter(pk=made.runnable_id).update(next_run_at=timezone.now() + MINUTE)
    page = alice.get(address(shop)).content.decode()
    for view, tag in (("tasks:task", "a-task"), ("collections:job", "an-async-job")):
        assert f'href="{reverse(view, args=[shop.slug, tag])}"' in page
