"""Web processes whose clocks are wrong: when something runs is decided by the database's."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs import fleet
from badgerjobs.runs.models import Run, Runnable
from tests.callers import Caller
from tests.clients import browser_in

pytestmark = pytest.mark.django_db

HERE = "https://api.example.com/"
OFF = pytest.mark.parametrize("off_s", [-30, 30], ids=["behind", "ahead"])
NEAR = timedelta(seconds=10)


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Puts this process's clock off by so many seconds."""

    def put_off(seconds: int) -> None:
        right = timezone.now
        monkeypatch.setattr(timezone, "now", lambda: right() + timedelta(seconds=seconds))

    return put_off


def is_now(moment: datetime | None) -> bool:
    return moment is not None and abs(moment - fleet.database_now()) < NEAR


@OFF
@pytest.mark.parametrize(
    ("fields", "ahead"),
    [({"run_every": "PT1H"}, timedelta(0)), ({"run_every": "PT1H", "run_at": True}, timedelta(0))],
    ids=["a series from now on", "a series whose first is due now"],
)
def test_what_is_due_at_once_is_due_by_the_databases_clock(
    off_s: int, fields: dict[str, Any], ahead: timedelta, alice: Caller, wrong: Callable[[int], None]
) -> None:
    if "run_at" in fields:
        fields = fields | {"run_at": fleet.database_now().isoformat()}
    wrong(off_s)

    alice.post("/api/v1/jobs/", {"tag": "t", "endpoint": HERE, "verb": "GET", **fields})

    planned = Runnable.objects.get().next_run_at
    assert planned is not None
    assert is_now(planned) or is_now(planned - timedelta(hours=1))


@OFF
def test_a_run_by_hand_is_due_now_by_rest_and_by_page(off_s: int, alice: Caller, wrong: Callable[[int], None]) -> None:
    alice.post("/api/v1/jobs/", {"tag": "t", "endpoint": HERE, "verb": "GET"})
    browser = browser_in(alice.application)
    wrong(off_s)

    alice.post("/api/v1/jobs/t/run/", {})
    run_on_page(browser, alice)

    assert [is_now(due) for due in Run.objects.values_list("due_at", flat=True)] == [True, True]


def run_on_page(browser: Client, alice: Caller) -> None:
    browser.post(reverse("jobs:run", args=[alice.application.slug, "t"]))


@OFF
def test_a_job_that_is_resumed_is_planned_from_the_databases_now_on(
    off_s: int, alice: Caller, wrong: Callable[[int], None]
) -> None:
    job = {"tag": "t", "endpoint": HERE, "verb": "GET", "run_every": "PT10S"}
    alice.post("/api/v1/jobs/", {**job, "enabled": False})
    wrong(off_s)

    alice.send("PATCH", "/api/v1/jobs/t/", b'{"enabled": true}')

    planned = Runnable.objects.get().next_run_at
    assert planned is not None
    assert timedelta(0) <= planned - fleet.database_now() + timedelta(seconds=1) <= timedelta(seconds=11)
