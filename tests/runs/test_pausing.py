"""Off and on again: why, until when, and one row in the ledger for all that came in between."""

from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs import dispatch, fleet, incidents, making, many, pausing, retention, services
from badgerjobs.runs.models import Cause, Incident, Run, Runnable, State, Trouble
from badgerjobs.runs.planning import Occurrence, Plan
from badgerjobs.workspaces.models import Application
from tests.factories import NOW, make_application, make_run, make_runnable

pytestmark = pytest.mark.django_db
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def add(**fields: Any) -> Runnable:
    application = Application.objects.first() or make_application()
    return services.add_runnable(Runnable(application=application, kind="http", name="r", **fields), now=NOW)


def dispatched(runnable: Runnable, at: datetime, then: datetime) -> None:
    """As if a tick had queued this occurrence, and a worker done it."""
    making.queue_planned([Plan(runnable.pk, then, [Occurrence(at, at)])], at)
    Run.objects.update(state="succeeded")


def change(runnable: Runnable, now: datetime, **fields: Any) -> Runnable:
    runnable.refresh_from_db()
    before = copy(runnable)
    for name, value in fields.items():
        setattr(runnable, name, value)
    services.change_runnable(runnable, before=before, now=now)
    runnable.refresh_from_db()
    return runnable


def off_by_one(runnable: Runnable, now: datetime) -> None:
    change(runnable, now, enabled=False)


def off_by_many(runnable: Runnable, now: datetime) -> None:
    many.pause_all([runnable.pk], now=now)


def on_by_one(runnable: Runnable, now: datetime) -> None:
    change(runnable, now, enabled=True)


def on_by_many(runnable: Runnable, now: datetime) -> None:
    many.resume_all([runnable.pk], now=now)


BOTH_WAYS = pytest.mark.parametrize(
    ("off", "on"), [(off_by_one, on_by_one), (off_by_many, on_by_many)], ids=["one", "many"]
)


def ledger(runnable: Runnable) -> list[tuple[datetime, datetime, int]]:
    rows = Run.objects.of(runnable.pk).filter(state="skipped", skip_reason="paused").order_by("id")
    return list(rows.values_list("occurrence", "skipped_until", "skipped_count"))  # type: ignore[arg-type]


@BOTH_WAYS
@pytest.mark.parametrize(
    ("fields", "paused", "resumed", "expected"),
    [
        pytest.param({"run_every": "PT1H"}, 0.5, 3.5, (1, 3, 3), id="what came in between"),
        pytest.param({"run_every": "PT1H"}, 0.5, 0.75, None, id="nothing came"),
        pytest.param({"run_every": "PT1H"}, 0.5, 1, (1, 1, 1), id="the moment of resuming belongs to the pause"),
        pytest.param({"run_every": "PT1H"}, 1, 2.5, (1, 2, 2), id="due already when it was paused"),
        pytest.param({"cron": "0 * * * *"}, 0.5, 3.5, (1, 3, 3), id="cron"),
        pytest.param({"run_every": "PT1H", "end_at": NOW + 2 * HOUR}, 0.5, 9, (1, 2, 2), id="up to its end"),
        pytest.param({"run_every": "PT1H", "max_runs": 1}, 0.5, 9, None, id="it has made all its runs"),
        pytest.param({"run_every": "PT1H", "max_runs": 2}, 0.5, 3.5, (1, 3, 3), id="it may make one more"),
        pytest.param({}, 0.5, 9, None, id="by hand"),
        pytest.param({"run_at": NOW + HOUR}, 0.5, 9, None, id="once is made up for"),
        pytest.param({"run_every": "PT1S"}, 0.5, 0.5 + 24 * 366, (None, None, 366 * 86_400), id="a year of seconds"),
    ],
)
def test_what_came_while_it_was_off_is_one_row(  # noqa: PLR0917  a table's columns
    off: Any, on: Any, fields: dict[str, Any], paused: float, resumed: float, expected: Any
) -> None:
    runnable = add(**fields)
    if runnable.schedule.is_recurring:
        left = fields.get("max_runs") != 1
        dispatched(runnable, NOW, NOW + HOUR)
        if not left:
            Runnable.objects.update(next_run_at=None)
        if "1S" in runnable.run_every:
            Runnable.objects.update(next_run_at=NOW + HOUR / 2 + timedelta(seconds=1))
    off(runnable, NOW + paused * HOUR)
    assert ledger(runnable) == []
    on(runnable, NOW + resumed * HOUR)
    [*rows] = ledger(runnable)
    if expected is None:
        assert rows == []
    elif expected[0] is None:
        assert [count for *_, count in rows] == [expected[2]]
    else:
        first, last, count = expected
        assert rows == [(NOW + first * HOUR, NOW + last * HOUR, count)]
    runnable.refresh_from_db()
    assert (runnable.enabled, runnable.paused_at, runnable.unaccounted_since) == (True, None, None)


@BOTH_WAYS
def test_in_a_spread_each_occurrence_is_accounted_for_once(off: Any, on: Any) -> None:
    runnable = add(run_every="PT1H")
    Runnable.objects.update(spread_s=600, offset_ms=300_000, next_run_at=NOW + HOUR + 5 * MINUTE)
    off(runnable, NOW + HOUR + MINUTE)  # its time has come, its place in the spread has not
    on(runnable, NOW + 2.5 * HOUR)
    assert ledger(runnable) == [(NOW + HOUR, NOW + 2 * HOUR, 2)]


@BOTH_WAYS
def test_paused_twice_with_no_run_between_shares_the_row(off: Any, on: Any) -> None:
    runnable = add(run_every="PT1H")
    dispatched(runnable, NOW, NOW + HOUR)
    for hour in (1, 3):
        off(runnable, NOW + (hour - 0.5) * HOUR)
        on(runnable, NOW + (hour + 1.5) * HOUR)
    assert ledger(runnable) == [(NOW + HOUR, NOW + 4 * HOUR, 4)]


def test_what_is_made_switched_off_is_accounted_for_from_then_on() -> None:
    runnable = add(cron="0 * * * *", enabled=False)
    assert (runnable.paused_at, runnable.next_run_at) == (NOW, None)
    on_by_one(runnable, NOW + 2.5 * HOUR)
    assert ledger(runnable) == [(NOW + HOUR, NOW + 2 * HOUR, 2)]


def test_what_was_off_before_anybody_counted_has_no_row() -> None:
    runnable = make_runnable(make_application(), enabled=False, run_every="PT1H")
    on_by_many(runnable, NOW + 9 * HOUR)
    runnable.refresh_from_db()
    assert (ledger(runnable), runnable.next_run_at) == ([], NOW + 10 * HOUR)


def test_a_schedule_that_is_changed_while_it_is_off_counts_until_then_and_the_new_one_after() -> None:
    runnable = add(cron="0 * * * *")
    dispatched(runnable, NOW, NOW + HOUR)
    off_by_one(runnable, NOW + 0.5 * HOUR)
    change(runnable, NOW + 2.25 * HOUR, cron="30 * * * *")
    assert ledger(runnable) == [(NOW + HOUR, NOW + 2 * HOUR, 2)]
    assert (runnable.paused_at, runnable.unaccounted_since) == (NOW + 0.5 * HOUR, NOW + 2.25 * HOUR)

    on_by_one(runnable, NOW + 4 * HOUR)  # 14:30 and 15:30 by the new one; not 12:30, 13:30
    assert ledger(runnable) == [(NOW + HOUR, NOW + 3.5 * HOUR, 4)]


def test_switched_on_with_another_schedule_the_old_one_counts_until_then() -> None:
    runnable = add(cron="0 * * * *")
    dispatched(runnable, NOW, NOW + HOUR)
    off_by_many(runnable, NOW + 0.5 * HOUR)
    change(runnable, NOW + 2.25 * HOUR, cron="30 * * * *", enabled=True)
    assert ledger(runnable) == [(NOW + HOUR, NOW + 2 * HOUR, 2)]
    assert runnable.next_run_at == NOW + 2.5 * HOUR


def test_a_pause_says_why_since_when_and_until_when_and_resumed_all_of_it_is_gone() -> None:
    runnable = add(run_every="PT1H")
    many.pause_all([runnable.pk], now=NOW, reason="We move house.", until=NOW + HOUR)
    runnable.refresh_from_db()
    assert (runnable.paused_at, runnable.paused_until, runnable.pause_reason) == (NOW, NOW + HOUR, "We move house.")
    on_by_many(runnable, NOW + HOUR / 2)
    runnable.refresh_from_db()
    assert (runnable.paused_at, runnable.paused_until, runnable.pause_reason) == (None, None, "")


def test_what_is_off_already_keeps_its_reason() -> None:
    runnable = add(run_every="PT1H")
    many.pause_all([runnable.pk], now=NOW, reason="first")
    assert many.pause_all([runnable.pk], now=NOW + HOUR, reason="second") == []
    runnable.refresh_from_db()
    assert (runnable.pause_reason, runnable.paused_at) == ("first", NOW)


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


def unplanned() -> Runnable:
    """One whose schedule could not be computed any more, and can be again."""
    runnable = add(cron="0 * * * *")
    Runnable.objects.filter(pk=runnable.pk).update(next_run_at=None)
    incidents.open_unplanned({runnable.pk: "No such zone."}, now=NOW)
    return runnable


@BOTH_WAYS
def test_what_was_planned_no_more_is_well_again_when_it_is_paused_and_resumed(off: Any, on: Any) -> None:
    runnable = unplanned()
    off(runnable, NOW)
    on(runnable, NOW)
    incident = Incident.objects.get()
    assert (incident.closed_at, incident.closing_told_at) == (NOW, NOW)  # whoever did it knows


def test_what_was_planned_no_more_is_well_again_with_another_schedule() -> None:
    runnable = unplanned()
    change(runnable, NOW, name="another name")
    assert Incident.objects.get().sentence == "It is planned no more: its schedule cannot be computed. No such zone."
    assert Incident.objects.get().closed_at is None
    change(runnable, NOW, cron="5 * * * *")
    assert Incident.objects.get().closed_at == NOW


def test_nothing_is_planned_for_what_has_made_all_its_runs_meanwhile() -> None:
    runnable = add(run_every="PT1H", max_runs=1)
    off_by_many(runnable, NOW)
    Runnable.objects.update(scheduled_runs=1)
    on_by_many(runnable, NOW + HOUR)
    runnable.refresh_from_db()
    assert (runnable.enabled, runnable.next_run_at) == (True, None)


def test_a_person_who_gives_another_reason_takes_the_breakers_pause_over() -> None:
    runnable = make_runnable(make_application(), enabled=False, breaker="open", paused_until=NOW, failures_in_row=20)
    opening = incidents.Opening(runnable.application_id, runnable.pk, Trouble.PAUSED, "Paused.")
    incidents.open_all([opening], now=NOW)
    change(runnable, NOW, name="another name")
    assert runnable.breaker == "open"
    change(runnable, NOW, pause_reason="They know.", paused_until=None)
    assert (runnable.breaker, runnable.paused_until, runnable.enabled) == ("", None, False)
    assert Incident.objects.get().closed_at == NOW


def test_deleting_what_has_incidents_forgets_them() -> None:
    one, other, third = (make_runnable(make_application(str(n))) for n in range(3))
    openings = [incidents.Opening(r.application_id, r.pk, Trouble.FAILED, "It failed.") for r in (one, other, third)]
    assert incidents.open_all(openings, now=NOW) == 3
    services.delete_runnables([one.pk])
    many.delete_all([other.pk])
    services.delete_application(application=third.application)
    connection.check_constraints()
    assert not Incident.objects.exists()


def test_an_incident_is_open_once_for_each_runnable_and_each_trouble() -> None:
    runnable = make_runnable(make_application())
    mine = incidents.Opening(runnable.application_id, runnable.pk, Trouble.FAILED, "It failed.")
    whole = incidents.Opening(runnable.application_id, None, Trouble.LATE, "It is late.")
    warned = incidents.Opening(runnable.application_id, runnable.pk, Trouble.WARNED, "It keeps failing.")
    assert incidents.open_all([mine, whole], now=NOW) == 2
    assert incidents.open_all([mine, whole, warned], now=NOW + HOUR) == 1
    assert incidents.close_all([(runnable.pk, Trouble.FAILED), (runnable.pk, Trouble.PAUSED)], now=NOW) == 1
    assert incidents.close_all([(runnable.pk, Trouble.FAILED)], now=NOW) == 0
    assert incidents.open_all([mine], now=NOW + HOUR) == 1


def test_closed_incidents_are_kept_as_long_as_runs_and_open_ones_for_ever() -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    application = make_application()
    application.retention_days = 7
    application.save()
    kept = set()
    for number, (days, closed) in enumerate([(30, None), (30, 9), (30, 6), (5, 4)]):
        runnable = make_runnable(application)
        one = Incident.objects.create(
            id=UUID(int=uuid7_floor(now - timedelta(days=days)).int + number),
            application=application,
            runnable=runnable,
            trouble="failed",
            sentence="It failed.",
            opened_at=now - timedelta(days=days),
            closed_at=now - timedelta(days=closed) if closed else None,
        )
        if closed != 9:
            kept.add(one.pk)
    make_run(make_runnable(application), State.SUCCEEDED)
    retention.prune(now=now)
    assert set(Incident.objects.values_list("pk", flat=True)) == kept


def test_what_was_due_and_not_dispatched_when_its_schedule_was_changed_is_in_the_ledger() -> None:
    runnable = add(run_every="PT1H", run_at=NOW)

    change(runnable, NOW + 2 * HOUR + MINUTE, run_every="PT3H")

    row = Run.objects.get(state="skipped")
    assert (row.skip_reason, row.occurrence, row.skipped_until) == ("missed", NOW, NOW + 2 * HOUR)
    assert row.skipped_count == 3


def waiting_in_its_spread(**fields: Any) -> Runnable:
    """Hourly, at its place of 30 minutes in the spread; NOW + HOUR is next, and NOW was run."""
    runnable = add(run_every="PT1H", run_at=NOW, **fields)
    dispatched(runnable, NOW, NOW + 1.5 * HOUR)
    Runnable.objects.update(spread_s=3600, offset_ms=1_800_000)
    return runnable


@pytest.mark.parametrize(
    "fields", [{"end_at": NOW + 9 * HOUR}, {"max_runs": 5}, {"spread_s": 0}, {"spread_s": 3000}], ids="+".join
)
def test_an_edit_does_not_lose_the_occurrence_that_waits_in_its_spread(fields: dict[str, Any]) -> None:
    runnable = waiting_in_its_spread()

    change(runnable, NOW + HOUR + MINUTE, **fields)

    assert runnable.next_run_at
    assert runnable.next_run_at - timedelta(milliseconds=runnable.offset_ms) == NOW + HOUR
    assert not Run.objects.filter(state="skipped").exists()


@pytest.mark.parametrize(
    "fields",
    [{"end_at": NOW + HOUR / 2}, {"max_runs": 1}, {"run_every": "PT7H"}, {"cron": "7 * * * *", "run_every": ""}],
    ids="+".join,
)
def test_an_occurrence_that_waits_in_its_spread_and_is_planned_no_more_is_in_the_ledger(fields: dict[str, Any]) -> None:
    runnable = waiting_in_its_spread()

    change(runnable, NOW + HOUR + MINUTE, **fields)

    row = Run.objects.get(state="skipped")
    assert (row.skip_reason, row.occurrence, row.skipped_count) == ("missed", NOW + HOUR, 1)
    assert runnable.next_run_at is None or runnable.next_run_at > NOW + HOUR + MINUTE


@BOTH_WAYS
@pytest.mark.parametrize("cause", [Cause.MANUAL, Cause.REPLAY, Cause.PROBE])
def test_a_run_by_hand_while_it_is_paused_is_not_the_one_that_was_planned(off: Any, on: Any, cause: Cause) -> None:
    runnable = add(run_at=NOW + HOUR)
    off(runnable, NOW)
    making.queue_now(runnable, cause=cause, now=NOW + 2 * HOUR)
    Run.objects.update(state="succeeded")
    on(runnable, NOW + 3 * HOUR)
    runnable.refresh_from_db()
    assert runnable.next_run_at == NOW + 3 * HOUR


@BOTH_WAYS
@pytest.mark.parametrize("how", ["pruned", "backfilled", "aborted, and run at last"])
def test_what_was_to_run_once_and_did_is_over_however_that_came(off: Any, on: Any, how: str) -> None:
    runnable = add(run_at=NOW)
    if how == "backfilled":
        making.backfill(runnable.pk, [NOW], now=NOW)
        Run.objects.update(state="succeeded")
    else:
        dispatched(runnable, NOW, NOW + HOUR)
    if how == "pruned":
        Run.objects.all().delete()
    elif how != "backfilled":
        Run.objects.update(state="aborted")
        dispatched(runnable, NOW + MINUTE, NOW + HOUR)
        Run.objects.filter(occurrence=NOW).update(state="aborted")
    off(runnable, NOW + HOUR)
    on(runnable, NOW + 2 * HOUR)
    runnable.refresh_from_db()
    assert runnable.next_run_at is None


@BOTH_WAYS
def test_what_a_tick_took_while_the_pause_waited_for_its_row_is_not_accounted_for_twice(off: Any, on: Any) -> None:
    runnable = add(run_every="PT1H", run_at=NOW)
    dispatched(runnable, NOW, NOW + HOUR)
    off(runnable, NOW - timedelta(seconds=2))
    on(runnable, NOW + 1.5 * HOUR)
    assert ledger(runnable) == [(NOW + HOUR, NOW + HOUR, 1)]
