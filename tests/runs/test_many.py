"""Many at once: the same as one after the other, in a few statements, and whatever else happens meanwhile."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs import dispatch, making, many, retention, services
from badgerjobs.runs.models import Attempt, Cause, Gone, LogLine, Run, Runnable, State
from badgerjobs.runs.planning import Occurrence, Plan
from badgerjobs.workspaces.models import Application
from tests.factories import NOW, make_application, make_attempt, make_run
from tests.runs.together import together

HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db


def add(**fields: Any) -> Runnable:
    """A runnable of Alice's, planned as it would be."""
    application = Application.objects.first() or make_application()
    return services.add_runnable(Runnable(application=application, kind="http", name="r", **fields), now=NOW)


def run_all(ids: Sequence[int]) -> list[int]:
    return many.run_all_now(ids, cause=Cause.MANUAL, now=NOW)


def pause(ids: Sequence[int]) -> list[int]:
    return many.pause_all(ids, now=NOW)


def resume(ids: Sequence[int]) -> list[int]:
    return many.resume_all(ids, now=NOW)


ALL: list[Callable[[Sequence[int]], Any]] = [run_all, pause, resume, many.delete_all]
EACH = pytest.mark.parametrize("verb", ALL, ids=["run", "pause", "resume", "delete"])


@EACH
def test_it_takes_as_many_statements_for_ten_as_for_one(verb: Callable[[Sequence[int]], Any]) -> None:
    counts = []
    for count in (1, 10):
        ids = [add(run_every="PT1H", enabled=verb is not resume).pk for _ in range(count)]
        for pk in ids:
            make_run(Runnable.objects.get(pk=pk))
        with CaptureQueriesContext(connection) as queries:
            verb(ids)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8


@EACH
def test_those_that_went_meanwhile_are_left_out(verb: Callable[[Sequence[int]], Any]) -> None:
    other = add(run_every="PT1H")
    verb([other.pk + 1000])
    assert Runnable.objects.get() == other
    assert not Run.objects.exists()


def test_each_runs_once_beside_its_schedule_paused_or_not() -> None:
    plain, off = add(run_every="PT1H", run_at=NOW + HOUR, priority=9), add(enabled=False)

    assert run_all([plain.pk, off.pk]) == [plain.pk, off.pk]

    assert set(Run.objects.values_list("runnable_id", "state", "cause", "number", "due_at", "occurrence")) == {
        (plain.pk, "queued", "manual", 1, NOW, None),
        (off.pk, "queued", "manual", 1, NOW, None),
    }
    assert Run.objects.of(plain.pk).get().priority == 9
    plain.refresh_from_db()
    assert (plain.runs_made, plain.last_run_at, plain.next_run_at) == (1, NOW, NOW + HOUR)


def test_pausing_plans_no_more_and_aborts_what_waits_but_not_what_runs() -> None:
    on, off, other = add(run_every="PT1H"), add(run_every="PT1H", enabled=False), add(run_every="PT1H")
    states = [State.QUEUED, State.SCHEDULED, State.RETRYING, State.RUNNING, State.SUCCEEDED]
    for state in states:
        make_run(on, state)
        make_run(other, state)

    assert pause([on.pk, off.pk]) == [on.pk]

    on.refresh_from_db()
    assert (on.enabled, on.next_run_at) == (False, None)
    assert sorted(Run.objects.of(on.pk).values_list("state", flat=True)) == [
        "aborted", "aborted", "aborted", "running", "succeeded",
    ]  # fmt: skip
    assert set(LogLine.objects.values_list("message", flat=True)) == {"Paused before it began."}
    assert not Run.objects.of(other.pk).filter(state="aborted").exists()


def test_resumed_a_series_keeps_its_rhythm_as_one_alone_does() -> None:
    series, cron = add(run_every="PT1H"), add(cron="30 * * * *")
    ids = [series.pk, cron.pk]
    pause(ids)

    assert many.resume_all(ids, now=NOW + 2.25 * HOUR) == ids

    assert dict(Runnable.objects.values_list("pk", "next_run_at")) == {
        series.pk: NOW + 3 * HOUR, cron.pk: NOW + 2.5 * HOUR,
    }  # fmt: skip
    assert not Runnable.objects.filter(enabled=False).exists()


def test_resumed_what_was_to_run_once_still_does_unless_it_did() -> None:
    never, aborted, ran = add(run_at=NOW), add(run_at=NOW), add(run_at=NOW)
    for runnable, state in ((aborted, State.ABORTED), (ran, State.SUCCEEDED)):
        making.queue_planned([Plan(runnable.pk, None, [Occurrence(NOW, NOW)])], NOW)
        Run.objects.of(runnable.pk).update(state=state)
    ids = [never.pk, aborted.pk, ran.pk]
    pause(ids)

    many.resume_all(ids, now=NOW + HOUR)

    planned = dict(Runnable.objects.values_list("pk", "next_run_at"))
    assert planned == {never.pk: NOW + HOUR, aborted.pk: NOW + HOUR, ran.pk: None}


def test_one_bad_zone_stops_nobody_elses_schedule() -> None:
    bad, good = add(cron="0 * * * *"), add(cron="0 * * * *")
    pause([bad.pk, good.pk])
    Runnable.objects.filter(pk=bad.pk).update(time_zone="Atlantis/Capital")

    resume([bad.pk, good.pk])

    assert list(Runnable.objects.order_by("pk").values_list("next_run_at", flat=True)) == [None, NOW + HOUR]


def test_what_is_due_at_once_wakes_the_dispatcher(monkeypatch: pytest.MonkeyPatch) -> None:
    soon = add(run_at=NOW)
    pause([soon.pk])
    with CaptureQueriesContext(connection) as queries:
        resume([soon.pk])
    assert any("pg_notify" in query["sql"] for query in queries)


def test_deleting_leaves_nothing_that_any_list_shows_and_the_rest_is_pruned() -> None:
    gone = [add(run_every="PT1H") for _ in range(3)]
    kept = add(run_every="PT1H")
    for runnable in (*gone, kept):
        make_run(runnable)
        make_attempt(make_run(runnable, State.RUNNING))
        make_attempt(make_run(runnable, State.SUCCEEDED))

    many.delete_all([runnable.pk for runnable in gone])

    assert Runnable.objects.get() == kept
    assert set(Run.objects.for_application(kept.application).values_list("runnable_id", flat=True)) == {kept.pk}
    assert not Run.objects.exclude(runnable_id=kept.pk).unfinished().exists()

    retention.prune(now=NOW)
    assert set(Run.objects.values_list("runnable_id", flat=True)) == {kept.pk}
    assert set(Attempt.objects.values_list("runnable_id", flat=True)) == {kept.pk}
    assert not Gone.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_all_verbs_ticks_and_claims_at_once_end_without_a_deadlock() -> None:
    runnables = [add(run_every="PT1H", run_at=NOW) for _ in range(40)]
    ids = [runnable.pk for runnable in runnables]

    def committed(verb: Callable[[Sequence[int]], Any], order: Sequence[int]) -> None:
        for _ in range(3):
            with transaction.atomic():
                verb(order)

    def ticking() -> None:
        for _ in range(5):
            dispatch.tick()

    deleted = ids[::4]
    together(
        partial(committed, run_all, ids),
        partial(committed, run_all, ids[::-1]),
        partial(committed, pause, ids[::-1]),
        partial(committed, resume, ids),
        partial(committed, many.delete_all, deleted[::-1]),
        ticking,
    )

    assert sorted(Runnable.objects.values_list("pk", flat=True)) == sorted(set(ids) - set(deleted))
    assert not Run.objects.filter(runnable_id__in=deleted).unfinished().exists()
    # Every run is counted once, whoever made it.
    for runnable in Runnable.objects.all():
        numbers = sorted(Run.objects.of(runnable.pk).exclude(state="skipped").values_list("number", flat=True))
        assert numbers == list(range(1, runnable.runs_made + 1))
