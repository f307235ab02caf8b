"""Pauses that are over: they end by themselves, many at once, and none holds up another."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs import dispatch, fleet, many, pausing
from badgerjobs.runs.models import Incident, Runnable
from tests.factories import NOW
from tests.runs.switching import HOUR, MINUTE, add, ledger

pytestmark = pytest.mark.django_db


def test_a_pause_that_is_over_ends_by_itself_with_its_row_in_the_ledger() -> None:
    now = fleet.database_now()
    runnable = add(run_every="PT1H", run_at=NOW)
    many.pause_all([runnable.pk], now=now - 2 * HOUR, until=now - timedelta(seconds=1))
    Runnable.objects.update(unaccounted_since=now - 2 * HOUR)
    dispatch.tick()
    runnable.refresh_from_db()
    assert (runnable.enabled, runnable.paused_until) == (True, None)
    assert [count for *_, count in ledger(runnable)] == [2]
    assert runnable.next_run_at
    assert now < runnable.next_run_at <= now + HOUR


def test_the_dispatcher_sleeps_until_the_first_pause_is_over() -> None:
    until = fleet.database_now() + timedelta(seconds=20)
    runnable = add(run_every="PT1H", run_at=until + HOUR)
    many.pause_all([runnable.pk], now=NOW, until=until)
    assert dispatch.tick().next_due == until
    runnable.refresh_from_db()
    assert not runnable.enabled


def test_many_pauses_that_are_over_end_in_batches_and_in_as_many_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pausing, "LET_GO_AT_ONCE", 40)
    now = fleet.database_now()
    counts = []
    for count in (1, 30):
        ids = [add(run_every="PT1H").pk for _ in range(count)]
        many.pause_all(ids, now=now - 3 * HOUR, until=now - MINUTE)
        with CaptureQueriesContext(connection) as captured:
            assert not dispatch.tick().more
        counts.append(len(captured))
        assert not Runnable.objects.filter(enabled=False).exists()
    assert counts[0] == counts[1] <= 9


def test_one_whose_schedule_makes_no_sense_any_more_stops_nobody_else() -> None:
    now = fleet.database_now()
    bad, good = add(cron="0 * * * *"), add(cron="0 * * * *")
    many.pause_all([bad.pk, good.pk], now=now - HOUR, until=now - MINUTE)
    Runnable.objects.filter(pk=bad.pk).update(time_zone="Atlantis/Capital")
    dispatch.tick()
    assert not Runnable.objects.filter(paused_until__isnull=False).exists()
    assert [one.next_run_at is None for one in Runnable.objects.order_by("pk")] == [True, False]
    assert Incident.objects.get(closed_at=None).runnable_id == bad.pk
