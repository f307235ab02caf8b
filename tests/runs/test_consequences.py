"""What follows from how runs end: with them or not at all, counted right, and nothing where all is well."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs import consequences, dispatch, fleet, lifecycle, many, pausing, record, rescue, services
from badgerjobs.runs.changes import Finished
from badgerjobs.runs.models import Attempt, Cause, Incident, Run, Runnable, State, Worker
from badgerjobs.workspaces.models import Application
from tests.factories import NOW, make_application, make_run, make_runnable
from tests.runs.claims import ME, claimed, ended
from tests.runs.together import together

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def shop(db: None) -> Application:
    """Warned of after two failures in a row, paused after three, tried after a minute."""
    application = make_application()
    application.warn_after, application.pause_after, application.probe_after_s = 2, 3, 60
    application.save()
    return application


@pytest.fixture
def hourly(shop: Application) -> Runnable:
    return services.add_runnable(Runnable(application=shop, kind="http", name="r", run_every="PT1H"), now=NOW)


def end(runnable: Runnable, *states: State, at: datetime = NOW, **fields: Any) -> list[Run]:
    """Runs that this worker had, and that ended so, one a second, in one flush."""
    runs, batch = [], []
    runnable.refresh_from_db()
    trouble = bool(runnable.failures_in_row or runnable.breaker)
    for number, state in enumerate(states, runnable.runs_made + 1):
        run = make_run(runnable, State.RUNNING, worker=ME, number=number, started_at=at)
        one = ended(run, state, started_at=at + timedelta(seconds=number), error="" if state == "succeeded" else "503.")
        batch.append(replace(one, run=claimed(run, number=number, is_in_trouble=trouble), **fields))
        runs.append(run)
    record.finish_all(batch, worker=ME)
    runnable.refresh_from_db()
    return runs


def flush(batch: Sequence[Finished]) -> None:
    """Write until all is written: what another one has locked is left for the next time."""
    while batch:
        batch = record.finish_all(batch, worker=ME).left


def incidents() -> list[tuple[str, bool]]:
    """Trouble and whether it is open, in the order of their opening."""
    return [(one.trouble, one.closed_at is None) for one in Incident.objects.order_by("id")]


def of(runnable: Runnable) -> dict[str, bool]:
    """Trouble → whether it is open."""
    rows = Incident.objects.filter(runnable=runnable).order_by("id")
    return {row.trouble: row.closed_at is None for row in rows}


def test_a_success_where_nothing_was_wrong_costs_two_statements_however_many(hourly: Runnable) -> None:
    counts = []
    for count in (1, 50):
        runs = [make_run(hourly, State.RUNNING, worker=ME) for _ in range(count)]
        batch = [ended(run) for run in runs]
        with CaptureQueriesContext(connection) as captured:
            record._record_all(batch, ME)
        counts.append([query["sql"].split()[0] for query in captured if "POINT" not in query["sql"]])
    assert counts[0] == counts[1]
    assert len(counts[0]) == 1
    assert not Incident.objects.exists()


def test_what_failed_takes_as_many_statements_for_many_as_for_one(shop: Application) -> None:
    counts = []
    for count in (1, 40):
        batch = []
        for _ in range(count):
            runnable = make_runnable(shop, failures_in_row=2, next_run_at=NOW + HOUR, run_every="PT1H")
            make_run(runnable, State.QUEUED)
            batch.append(ended(make_run(runnable, State.RUNNING, worker=ME), State.FAILED))
        with CaptureQueriesContext(connection) as captured:
            record._record_all(batch, ME)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 12
    assert Incident.objects.filter(trouble="paused").count() == 41


def test_an_attempt_that_is_tried_again_has_no_consequences(hourly: Runnable) -> None:
    end(hourly, State.RETRYING)
    assert (hourly.failures_in_row, Incident.objects.count()) == (0, 0)


def test_the_first_failure_opens_an_incident_and_the_next_success_closes_it(hourly: Runnable) -> None:
    [run] = end(hourly, State.FAILED)
    one = Incident.objects.get()
    assert (one.application, one.runnable, one.trouble, one.run) == (hourly.application, hourly, "failed", run.pk)
    assert (one.sentence, one.closed_at, one.told_at) == ("Run 1 failed for good: 503.", None, None)

    end(hourly, State.FAILED, at=NOW + HOUR)
    assert of(hourly) == {"failed": True, "warned": True}

    end(hourly, State.SUCCEEDED, at=NOW + 2 * HOUR)
    assert of(hourly) == {"failed": False, "warned": False}
    assert hourly.failures_in_row == 0
    assert not Incident.objects.exclude(closing_told_at=None).exists()  # somebody has to be told of it


def test_another_trouble_of_the_same_kind_is_another_incident(hourly: Runnable) -> None:
    for number, state in enumerate([State.FAILED, State.SUCCEEDED, State.FAILED]):
        end(hourly, state, at=NOW + number * HOUR)
    assert incidents() == [("failed", False), ("failed", True)]


def test_the_breaker_pauses_with_the_reason_and_aborts_what_waits(hourly: Runnable) -> None:
    waiting = make_run(hourly, State.RETRYING)
    end(hourly, State.FAILED, State.FAILED, State.FAILED)

    assert (hourly.enabled, hourly.next_run_at, hourly.breaker, hourly.failures_in_row) == (False, None, "open", 3)
    assert hourly.pause_reason == "3 runs in a row failed. The last one: 503."
    assert hourly.paused_at
    assert hourly.paused_until == hourly.paused_at + timedelta(seconds=60)
    waiting.refresh_from_db()
    assert waiting.state == "aborted"
    assert of(hourly) == {"failed": True, "warned": True, "paused": True}


def test_what_was_taken_away_meanwhile_has_no_consequences(hourly: Runnable) -> None:
    run = make_run(hourly, State.RUNNING, worker=ME)
    Run.objects.update(state="aborted", worker=None)
    record.finish_all([ended(run, State.FAILED)], worker=ME)
    hourly.refresh_from_db()
    assert (hourly.failures_in_row, Incident.objects.count()) == (0, 0)


def test_the_endpoint_that_is_gone_pauses_its_job_and_nothing_tries_it(hourly: Runnable) -> None:
    end(hourly, State.FAILED, pauses=True, error="The endpoint answered 410 Gone.")
    assert (hourly.enabled, hourly.breaker, hourly.paused_until) == (False, "", None)
    assert hourly.pause_reason == "The endpoint answered 410 Gone."
    assert of(hourly) == {"failed": True, "paused": True}

    end(hourly, State.SUCCEEDED)  # by hand
    assert (hourly.enabled, of(hourly)) == (False, {"failed": False, "paused": True})

    many.resume_all([hourly.pk], now=NOW + HOUR)
    assert of(hourly) == {"failed": False, "paused": False}


def open_breaker(runnable: Runnable, now: datetime) -> None:
    """As after three failures, the pause of which is over now."""
    end(runnable, *[State.FAILED] * 3)
    Runnable.objects.update(paused_at=now - timedelta(seconds=61), paused_until=now - timedelta(seconds=1))
    Runnable.objects.update(unaccounted_since=now - 2.5 * HOUR, anchor=now - 9.75 * HOUR)
    runnable.refresh_from_db()


def probe_of(runnable: Runnable) -> Run:
    return Run.objects.of(runnable.pk).filter(cause=Cause.PROBE).latest("id")


def finish_probe(runnable: Runnable, state: State) -> None:
    Run.objects.of(runnable.pk).filter(cause=Cause.PROBE, state="queued").update(state="running", worker=ME)
    run = probe_of(runnable)
    one = ended(run, state, started_at=fleet.database_now(), error="503.")
    record.finish_all([replace(one, run=claimed(run, is_in_trouble=True))], worker=ME)
    runnable.refresh_from_db()


def test_when_the_wait_is_over_one_run_tries_it_and_nothing_is_resumed_yet(hourly: Runnable) -> None:
    open_breaker(hourly, fleet.database_now())
    tick = dispatch.tick()
    hourly.refresh_from_db()
    assert (hourly.breaker, hourly.enabled, hourly.next_run_at) == ("half_open", False, None)
    assert (probe_of(hourly).state, probe_of(hourly).occurrence) == ("queued", None)
    assert tick.queued == {"io": 1}
    dispatch.tick()
    assert Run.objects.filter(cause=Cause.PROBE).count() == 1


def test_when_the_probe_succeeds_it_goes_on_and_what_it_missed_is_in_the_ledger(hourly: Runnable) -> None:
    now = fleet.database_now()
    open_breaker(hourly, now)
    dispatch.tick()
    finish_probe(hourly, State.SUCCEEDED)

    assert (hourly.enabled, hourly.breaker, hourly.failures_in_row, hourly.paused_until) == (True, "", 0, None)
    assert hourly.next_run_at == now + HOUR / 4
    skipped = Run.objects.get(state="skipped")
    assert (skipped.skip_reason, skipped.occurrence, skipped.skipped_until, skipped.skipped_count) == (
        "paused", now - 1.75 * HOUR, now - 0.75 * HOUR, 2,
    )  # fmt: skip
    assert of(hourly) == {"failed": False, "warned": False, "paused": False}
    assert not Incident.objects.exclude(closing_told_at=None).exists()


def test_when_the_probe_fails_it_waits_twice_as_long_each_time(hourly: Runnable) -> None:
    open_breaker(hourly, fleet.database_now())
    for minutes in (2, 4, 8):
        dispatch.tick()
        finish_probe(hourly, State.FAILED)
        assert (hourly.breaker, hourly.enabled) == ("open", False)
        assert hourly.paused_until
        waits = hourly.paused_until - fleet.database_now()
        assert timedelta(minutes=minutes) - timedelta(seconds=30) < waits < timedelta(minutes=minutes, seconds=1)
        Runnable.objects.update(paused_until=fleet.database_now() - timedelta(seconds=1))
    assert incidents().count(("paused", True)) == 1


def test_a_probe_that_got_lost_is_made_again_and_one_that_takes_long_is_waited_for(hourly: Runnable) -> None:
    open_breaker(hourly, fleet.database_now())
    dispatch.tick()
    for state, probes in ((State.RUNNING, 1), (State.RETRYING, 1), (State.ABORTED, 2)):
        Run.objects.filter(cause=Cause.PROBE).update(state=state, due_at=fleet.database_now() + HOUR)
        Runnable.objects.update(paused_until=fleet.database_now() - timedelta(seconds=1))
        dispatch.tick()
        assert Run.objects.filter(cause=Cause.PROBE).count() == probes


def test_a_person_who_resumes_it_closes_the_breaker_and_is_told_nothing(hourly: Runnable) -> None:
    end(hourly, *[State.FAILED] * 3)
    many.resume_all([hourly.pk], now=NOW + HOUR)
    hourly.refresh_from_db()
    assert (hourly.enabled, hourly.breaker, hourly.failures_in_row, hourly.pause_reason) == (True, "", 0, "")
    assert not any(of(hourly).values())
    assert not Incident.objects.filter(closing_told_at=None).exists()


def test_a_run_by_hand_that_succeeds_is_as_good_as_a_probe(hourly: Runnable) -> None:
    end(hourly, *[State.FAILED] * 3)
    end(hourly, State.SUCCEEDED, at=NOW + HOUR)
    assert (hourly.enabled, hourly.breaker) == (True, "")


def test_a_retry_that_was_overtaken_counts_as_a_failure(shop: Application) -> None:
    runnable = make_runnable(shop, run_every="PT1H", next_run_at=NOW)
    make_run(runnable, State.RETRYING, number=7, due_at=fleet.database_now() + HOUR)
    dispatch.tick()
    runnable.refresh_from_db()
    assert runnable.failures_in_row == 1
    incident = Incident.objects.get(runnable=runnable)
    assert incident.sentence.startswith("Run 7 failed for good: Superseded.")


def test_a_run_that_was_lost_too_often_counts_as_a_failure(shop: Application) -> None:
    runnable = make_runnable(shop)
    make_run(runnable, State.RUNNING, worker=ME, rescues=lifecycle.RESCUES)
    again = make_run(make_runnable(shop), State.RUNNING, worker=ME)
    rescue.rescue()
    runnable.refresh_from_db()
    again.refresh_from_db()
    assert (runnable.failures_in_row, again.state, Incident.objects.count()) == (1, "queued", 1)


def test_a_claim_says_whether_its_owner_is_in_trouble(shop: Application) -> None:
    expected = {}
    for fields in ({}, {"failures_in_row": 1}, {"enabled": False, "breaker": "half_open"}):
        run = make_run(make_runnable(shop, **fields), State.QUEUED, due_at=NOW)
        expected[run.pk] = bool(fields)
    Worker.objects.create(name="w", queue="io", started_at=NOW, seen_at=NOW)
    taken = lifecycle.claim(queue="io", worker=ME, limit=10, now=fleet.database_now())
    assert {one.id: one.is_in_trouble for one in taken} == expected


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_flush_at_once_count_every_failure_and_open_one_incident(shop: Application) -> None:
    runnable = make_runnable(shop, run_every="PT1H", overlap="allow", next_run_at=NOW)
    others = [make_runnable(shop, next_run_at=NOW) for _ in range(5)]
    batches = []
    for _ in range(6):
        runs = [make_run(one, State.RUNNING, worker=ME) for one in (runnable, *others)]
        batches.append([ended(run, State.FAILED) for run in runs])
    together(*(partial(flush, batch[:: 1 if n % 2 else -1]) for n, batch in enumerate(batches)))
    assert set(Runnable.objects.values_list("failures_in_row", flat=True)) == {6}
    assert set(Runnable.objects.values_list("breaker", flat=True)) == {"open"}
    assert Incident.objects.count() == 3 * 6


@pytest.mark.django_db(transaction=True)
def test_ticks_pauses_and_flushes_of_the_same_jobs_end_without_a_deadlock(shop: Application) -> None:
    ids = []
    for _ in range(20):
        overlap = "cancel_running"
        ids.append(make_runnable(shop, run_every="PT1S", next_run_at=NOW, overlap=overlap, failures_in_row=2).pk)

    def flushing() -> None:
        for _ in range(4):
            runs = [make_run(Runnable.objects.get(pk=pk), State.RUNNING, worker=ME) for pk in ids]
            flush([ended(run, State.FAILED) for run in runs])

    def ticking() -> None:
        for _ in range(8):
            dispatch.tick()

    def switching() -> None:
        for verb in (many.pause_all, many.resume_all) * 3:
            with transaction.atomic():
                verb(ids[::-1], now=fleet.database_now())

    together(flushing, flushing, ticking, switching)
    assert Runnable.objects.count() == 20


def test_killed_between_a_result_and_what_follows_neither_is_there_and_both_come_with_the_next_try(
    hourly: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(hourly, State.RUNNING, worker=ME)

    class KilledError(BaseException):
        pass

    def killed(*_: Any, **__: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(consequences, "_carry_out", killed)
        with pytest.raises(KilledError):
            record.finish_all([ended(run, State.FAILED)], worker=ME)
    run.refresh_from_db()
    assert (run.state, Attempt.objects.count()) == ("running", 0)

    for _ in range(2):  # given twice, since nobody knows whether the first time arrived
        record.finish_all([ended(run, State.FAILED)], worker=ME)
    hourly.refresh_from_db()
    assert (hourly.failures_in_row, Incident.objects.count(), Attempt.objects.count()) == (1, 1, 1)


def test_successes_are_written_before_what_waits_for_a_lock(hourly: Runnable, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = (make_run(hourly, State.RUNNING, worker=ME) for _ in range(2))
    seen = []
    held = consequences.hold

    def holding(ids: Collection[int], **given: Any) -> Any:
        seen.append(Run.objects.get(pk=good.pk).state)
        return held(ids, **given)

    monkeypatch.setattr(consequences, "hold", holding)
    record.finish_all([ended(bad, State.FAILED), ended(good)], worker=ME)
    assert seen == ["succeeded"]


@pytest.mark.parametrize(
    "schedule",
    [{}, {"run_at": NOW - HOUR}, {"run_every": "PT1H", "max_runs": 1}],
    ids=["by hand", "once, and over", "made all its runs"],
)
def test_what_plans_nothing_is_not_paused_and_never_called_unasked(shop: Application, schedule: dict[str, Any]) -> None:
    runnable = make_runnable(shop, **schedule)
    end(runnable, *[State.FAILED] * 5)
    assert (runnable.enabled, runnable.breaker, runnable.paused_until) == (True, "", None)
    assert incidents() == [("failed", True), ("warned", True)]
    assert pausing.let_go(now=NOW + HOUR) == (0, [])
    assert not Run.objects.filter(cause="probe").exists()


def test_what_lost_its_schedule_while_the_breaker_had_paused_it_is_not_tried(shop: Application) -> None:
    now = fleet.database_now()
    columns: dict[str, Any] = {"enabled": False, "breaker": "open", "paused_at": NOW, "paused_until": now}
    by_hand, hourly = make_runnable(shop, **columns), make_runnable(shop, run_every="PT1H", **columns)
    dispatch.tick()
    assert list(Run.objects.filter(cause="probe").values_list("runnable", flat=True)) == [hourly.pk]
    by_hand.refresh_from_db()
    assert (by_hand.enabled, by_hand.breaker, by_hand.paused_until) == (False, "open", None)
    assert dispatch.tick().next_due != now
