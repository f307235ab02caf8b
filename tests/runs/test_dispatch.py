"""What a tick does with what is due."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from badgerjobs.lib.schedule import Schedule
from badgerjobs.runs import dispatch, fleet
from badgerjobs.runs.models import Incident, Run, Runnable, State
from tests.factories import make_application, make_run, make_runnable

pytestmark = pytest.mark.django_db


def ago(**much: float) -> datetime:
    return fleet.database_now() - timedelta(**much)


def due(application: Any = None, count: int = 1, **fields: Any) -> list[Runnable]:
    """Runnables that were due a second ago, once."""
    application = application or make_application()
    given = {"kind": "http", "name": "a-job", "anchor": ago(days=1), "next_run_at": ago(seconds=1), **fields}
    return Runnable.objects.bulk_create(Runnable(application=application, **given) for _ in range(count))


def test_what_is_due_is_queued_once(db: None) -> None:
    (runnable,) = due(priority=7)
    occurrence = runnable.next_run_at

    tick = dispatch.tick()
    assert dispatch.tick().queued == Counter()

    run = Run.objects.get()
    assert tick.queued == Counter(io=1)
    assert (run.state, run.cause, run.number, run.priority, run.queue) == ("queued", "schedule", 1, 7, "io")
    assert (run.occurrence, run.due_at, run.created_at) == (occurrence, occurrence, tick.now)
    assert (run.application_id, run.runnable_id, run.kind) == (runnable.application_id, runnable.pk, "http")
    runnable.refresh_from_db()
    assert (runnable.next_run_at, runnable.last_run_at, runnable.runs_made) == (None, tick.now, 1)


def test_what_is_not_due_waits(db: None) -> None:
    soon = fleet.database_now() + timedelta(minutes=5)
    due(next_run_at=soon)

    tick = dispatch.tick()

    assert (tick.next_due, tick.more, tick.queued) == (soon, False, Counter())
    assert not Run.objects.exists()


def test_a_series_goes_on_from_its_anchor_and_not_from_when_it_was_dispatched(db: None) -> None:
    anchor = ago(seconds=0).replace(microsecond=123_000) - timedelta(hours=3, minutes=20)
    (runnable,) = due(run_every="PT1H", anchor=anchor, next_run_at=anchor + timedelta(hours=3))

    dispatch.tick()

    runnable.refresh_from_db()
    assert runnable.next_run_at == anchor + timedelta(hours=4)


def test_a_cron_goes_on_in_its_zone(db: None) -> None:
    (runnable,) = due(cron="30 8 * * *", time_zone="Asia/Kolkata")

    now = dispatch.tick().now

    runnable.refresh_from_db()
    assert runnable.next_run_at
    assert timedelta(0) < runnable.next_run_at - now <= timedelta(days=1)
    assert runnable.next_run_at.astimezone(UTC).strftime("%H:%M:%S") == "03:00:00"


def test_what_was_missed_during_an_outage_is_run_once_and_then_the_series_goes_on(db: None) -> None:
    anchor = ago(hours=5, seconds=1)
    (runnable,) = due(run_every="PT1M", anchor=anchor, next_run_at=anchor + timedelta(hours=1))

    tick = dispatch.tick()

    run, missed = Run.objects.get(state="queued"), Run.objects.get(state="skipped")
    assert run.occurrence == runnable.anchor + timedelta(hours=5)
    assert (missed.skip_reason, missed.skipped_count, missed.number) == ("missed", 4 * 60, 0)
    assert (missed.occurrence, missed.skipped_until) == (runnable.next_run_at, run.occurrence - timedelta(minutes=1))
    runnable.refresh_from_db()
    assert runnable.next_run_at
    assert timedelta(0) < runnable.next_run_at - tick.now <= timedelta(minutes=1)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({"cron": "0 8 * * *", "time_zone": "Mars/Olympus"}, id="a zone that is gone"),
        pytest.param({"cron": "every morning"}, id="no cron at all"),
        pytest.param({"run_every": "P1H"}, id="no duration at all"),
        pytest.param({"run_every": "P9999Y"}, id="beyond the calendar"),
        pytest.param({"run_every": "PT999999999999999H"}, id="beyond what can be counted"),
    ],
)
def test_a_schedule_that_holds_no_more_runs_this_once_and_stops_nobody(bad: dict[str, Any]) -> None:
    (broken,) = due(**bad)
    (sound,) = due(make_application("Charlie's"), run_every="PT1H")

    dispatch.tick()

    broken.refresh_from_db()
    sound.refresh_from_db()
    assert set(Run.objects.values_list("runnable_id", flat=True)) == {broken.pk, sound.pk}
    assert broken.next_run_at is None
    assert sound.next_run_at is not None
    incident = Incident.objects.get()
    assert (incident.application_id, incident.runnable_id) == (broken.application_id, broken.pk)
    assert (incident.trouble, incident.closed_at) == ("late", None)
    assert incident.sentence.startswith("It is planned no more: its schedule cannot be computed. ")


def test_a_bug_in_one_schedule_stops_nobody(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def next_after(self: Schedule, moment: datetime) -> datetime | None:
        return {"PT1H": moment + timedelta(hours=1)}[self.run_every or ""]

    monkeypatch.setattr(Schedule, "next_after", next_after)
    due(run_every="PT1H")
    due(cron="0 8 * * *")

    assert dispatch.tick().queued.total() == 2

    assert list(Runnable.objects.planned().values_list("run_every", flat=True)) == ["PT1H"]
    assert "planned no more" in caplog.text


def test_an_occurrence_cannot_have_two_runs(runnable: Runnable) -> None:
    moment = ago(minutes=1)
    make_run(runnable, occurrence=moment)

    with pytest.raises(IntegrityError), transaction.atomic():
        make_run(runnable, occurrence=moment)


def test_an_occurrence_that_has_its_run_gets_no_other_and_the_series_goes_on(db: None) -> None:
    moment = ago(seconds=1)
    (runnable,) = due(run_every="PT1H", anchor=moment, next_run_at=moment)
    make_run(runnable, State.SUCCEEDED, occurrence=moment)

    assert dispatch.tick().queued == Counter()

    assert Run.objects.count() == 1
    runnable.refresh_from_db()
    assert runnable.next_run_at
    assert runnable.next_run_at > fleet.database_now()


def test_runs_by_hand_have_no_occurrence_and_may_be_many(runnable: Runnable) -> None:
    make_run(runnable)
    make_run(runnable)

    assert Run.objects.filter(occurrence=None).count() == 2


def test_a_pile_of_one_application_does_not_stand_before_the_others(db: None) -> None:
    due(count=5000, next_run_at=ago(hours=1))
    (lonely,) = due(make_application("Charlie's"))

    tick = dispatch.tick()

    assert Run.objects.filter(runnable=lonely).exists()
    assert tick.queued["io"] == dispatch.BATCH
    assert tick.more


def test_however_much_is_caught_up_a_tick_makes_about_as_many_runs_as_it_may_take(db: None) -> None:
    anchor = ago(minutes=30)
    due(count=4, run_every="PT1M", anchor=anchor, next_run_at=anchor, catch_up="all", overlap="allow")
    made = []
    while (tick := dispatch.tick(limit=10)).more or tick.queued:
        made.append(sum(tick.queued.values()))
    assert max(made) == 8
    assert sum(made) == Run.objects.values("runnable", "occurrence").distinct().count() == 4 * 31


def test_a_batch_that_is_not_full_is_the_last(db: None) -> None:
    due(count=7)

    assert [dispatch.tick(limit=5).more, dispatch.tick(limit=5).more] == [True, False]
    assert Run.objects.count() == 7


def test_a_wait_that_is_over_is_queued_and_one_that_is_not_is_looked_for_in_time(runnable: Runnable) -> None:
    over, later = make_run(runnable, State.RETRYING, due_at=ago(seconds=1)), fleet.database_now() + timedelta(hours=1)
    waiting = make_run(runnable, State.SCHEDULED, due_at=later)

    assert dispatch.tick().queued == Counter(io=1)
    assert dispatch.tick().next_due == later

    assert list(Run.objects.filter(state=State.QUEUED)) == [over]
    assert list(Run.objects.filter(state=State.SCHEDULED)) == [waiting]


@pytest.mark.parametrize("wait", [timedelta(hours=1), timedelta(seconds=-1)], ids=["still waiting", "just over"])
def test_a_newer_occurrence_takes_the_place_of_a_waiting_retry(wait: timedelta) -> None:
    (runnable,) = due(run_every="PT1H")
    retry = make_run(runnable, State.RETRYING, due_at=fleet.database_now() + wait, attempts=1)
    another = make_run(make_runnable(make_application("Charlie's")), State.RETRYING, due_at=ago(hours=-1))

    tick = dispatch.tick()

    retry.refresh_from_db()
    another.refresh_from_db()
    assert (retry.state, retry.finished_at) == ("failed", tick.now)
    assert retry.log.get().message == "Superseded. The next occurrence came before the next attempt."
    assert another.state == "retrying"
    assert Run.objects.get(state=State.QUEUED).runnable_id == runnable.pk


def test_an_idle_tick_is_one_statement(runnable: Runnable, django_assert_num_queries: Any) -> None:
    due(next_run_at=fleet.database_now() + timedelta(hours=1))
    make_run(runnable, State.RETRYING, due_at=fleet.database_now() + timedelta(hours=1))

    with django_assert_num_queries(1):
        dispatch.tick()


@pytest.mark.parametrize("retries_too", [False, True])
def test_a_tick_has_as_many_statements_for_many_as_for_one(retries_too: bool) -> None:
    statements = []
    for count in (1, 300):
        for runnable in due(make_application(str(count)), count):
            if retries_too:
                make_run(runnable, State.RETRYING, due_at=ago(seconds=1))
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert dispatch.tick().queued["io"] == count
        statements.append(len(captured))

    assert statements[0] == statements[1] <= 9 + 4 * retries_too  # what follows from runs that failed
