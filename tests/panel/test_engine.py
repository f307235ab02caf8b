"""The page of the engine: what waits, and what each process has of this application in hand."""

import re
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from badgerjobs.runs import fleet
from badgerjobs.runs.models import Beat, Leader, State, Worker
from badgerjobs.workspaces.models import Application
from tests.clients import browser_in
from tests.factories import make_application, make_job, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Application:
    return make_application("Example Shop", "shop")


@pytest.fixture
def now() -> datetime:
    return fleet.database_now()


def words(client: Client, application: Application) -> str:
    """What stands on the page, without marks."""
    page = client.get(reverse("panel:engine", args=[application.slug])).content.decode()
    main = page[page.index("<main") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


def worker(name: str, now: datetime, *, unseen_s: float = 0) -> UUID:
    seen = now - timedelta(seconds=unseen_s)
    return Worker.objects.create(name=name, queue="io", started_at=now, seen_at=seen).pk


def beat(name: str, now: datetime, *, unseen_s: float = 0) -> UUID:
    return Beat.objects.create(name=name, started_at=now, seen_at=now - timedelta(seconds=unseen_s)).pk


def test_without_any_process_it_says_what_is_missing(alice: Client, shop: Application) -> None:
    said = words(alice, shop)
    assert "No worker is there : what is queued waits" in said
    assert "No beat is there : nothing that comes due is queued" in said


@pytest.mark.parametrize(("unseen_s", "state"), [(0, "alive"), (3, "alive"), (8, "silent"), (25, "gone")])
def test_a_process_is_alive_silent_or_gone(
    unseen_s: float, state: str, alice: Client, shop: Application, now: datetime
) -> None:
    worker("machine:1", now, unseen_s=unseen_s)
    beat("machine:2", now, unseen_s=unseen_s)
    said = words(alice, shop)
    assert re.search(rf"machine:1 {state}", said)
    assert re.search(rf"machine:2 {state}", said)
    count = 0 if state == "gone" else 1
    assert f"{count} worker" in said
    assert f"{count} beat" in said


def test_who_leads_is_said_while_the_lease_holds(alice: Client, shop: Application, now: datetime) -> None:
    for name, ends_in in (("machine:1", 5), ("machine:2", -5)):
        Leader.objects.all().delete()
        Leader.objects.create(role="system ticks", holder=beat(name, now), expires_at=now + timedelta(seconds=ends_in))
        assert bool(re.search(rf"{name} alive leads", words(alice, shop))) is (ends_in > 0)


def test_a_worker_shows_what_it_has_of_this_application_and_for_the_longest(
    alice: Client, shop: Application, now: datetime
) -> None:
    busy, idle = worker("machine:1", now), worker("machine:2", now)
    jobs = [make_job(shop, tag).runnable for tag in ("older", "newer")]
    old, _ = (
        make_run(job, State.RUNNING, worker=busy, started_at=now - timedelta(minutes=age))
        for job, age in zip(jobs, (9, 3), strict=True)
    )
    page = alice.get(reverse("panel:engine", args=[shop.slug])).content.decode()
    said = words(alice, shop)
    assert re.search(r"machine:1 alive 2 of yours older", said)
    assert re.search(r"machine:2 alive none of yours", said)
    assert reverse("runs:run", args=[shop.slug, old.pk]) in page
    assert idle != busy


def test_nothing_is_told_of_what_others_have_in_hand(alice: Client, shop: Application, now: datetime) -> None:
    busy = worker("machine:1", now)
    before = words(alice, shop)
    theirs = make_job(make_application("Others", "others"), "secret-plans").runnable
    for number, state in enumerate(State):
        held = state == State.QUEUED
        make_run(theirs, state, worker=busy if state == State.RUNNING else None, started_at=now, number=number)
        make_run(theirs, state, held=held, number=100 + number)
    assert figures(words(alice, shop)) == figures(before)
    assert "secret-plans" not in words(alice, shop)
    assert "none of yours" in words(alice, shop)


def figures(said: str) -> str:
    """The figures of the application; how late dispatch is, is everybody's."""
    return said[said.index("Running") : said.index("Dispatch is late")]


def test_what_waits_is_counted_by_what_it_waits_for(alice: Client, shop: Application, now: datetime) -> None:
    runnable = make_job(shop, "reprice").runnable
    due = now - timedelta(seconds=90)
    for state, held, count in (
        (State.QUEUED, False, 2), (State.QUEUED, True, 3), (State.RETRYING, False, 4), (State.SCHEDULED, False, 5),
        (State.RUNNING, False, 1),
    ):  # fmt: skip
        for number in range(count):
            make_run(runnable, state, held=held, due_at=due, number=10 * count + number)
    said = figures(words(alice, shop))
    assert "Running · queued 1 · 2 Held 3 Waiting for a retry 4 Scheduled 5 Oldest due 1 min 30 s" in said


def test_it_asks_as_much_for_many_processes_as_for_one(shop: Application, now: datetime) -> None:
    alice = browser_in(shop)
    words(alice, shop)  # the first page of a session asks once when it was last seen
    counts = []
    for number in (1, 30):
        for _ in range(number):
            make_run(make_job(shop, f"j{Worker.objects.count()}").runnable, State.RUNNING, worker=worker("w", now))
            beat("b", now)
        with CaptureQueriesContext(connection) as queries:
            words(alice, shop)
        counts.append(len(queries))
    assert counts[0] == counts[1]
