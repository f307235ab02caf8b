"""Replays: new runs that name the old ones, one or many, by REST and by service; and many aborted at once."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from badgerjobs.runs import lifecycle, making, services
from badgerjobs.runs.models import FINAL, Cause, LogLine, Run, Runnable, State
from badgerjobs.runs.planning import Occurrence, Plan
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, AuditEntry
from tests.callers import PROBLEM, Caller
from tests.factories import NOW, make_application, make_job, make_run
from tests.runs.claims import ME, ended
from tests.runs.together import together

HOUR = timedelta(hours=1)


def replay(run: Run) -> Run:
    return services.replay_run(run=run, by=OPERATOR, now=NOW + HOUR)


@pytest.mark.django_db
@pytest.mark.parametrize("state", [state for state in FINAL if state != State.SKIPPED])
def test_a_replay_is_a_new_run_that_names_the_old_one(runnable: Runnable, rung: list[str], state: State) -> None:
    Runnable.objects.update(runs_made=7, priority=9)
    old = make_run(runnable, state, number=5, occurrence=NOW, attempts=4, error="No.", input={"a": [1]})
    new = replay(old)
    assert (new.replay_of, new.cause, new.state, new.number) == (old.pk, Cause.REPLAY, State.QUEUED, 8)
    assert (new.due_at, new.occurrence, new.attempts, new.error) == (NOW + HOUR, None, 0, "")
    assert (new.input, new.priority, new.runnable_id) == ({"a": [1]}, 9, runnable.pk)
    assert rung == ["io"]
    old.refresh_from_db()
    assert (old.state, old.attempts, old.replay_of) == (state, 4, None)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject) == ("run.replay", "a-job 5")


@pytest.mark.django_db
def test_a_replay_leaves_the_schedule_alone(rung: list[str]) -> None:
    job = make_job(make_application(), run_every="PT1H", run_at=NOW + HOUR)
    [before] = Runnable.objects.values("next_run_at", "anchor", "run_at", "run_every", "enabled")
    replay(make_run(job.runnable, State.FAILED))
    assert list(Runnable.objects.values("next_run_at", "anchor", "run_at", "run_every", "enabled")) == [before]
    assert Runnable.objects.get().runs_made == 1


@pytest.mark.django_db
@pytest.mark.parametrize("state", [state for state in State if state not in FINAL])
def test_what_is_not_over_is_not_replayed(runnable: Runnable, rung: list[str], state: State) -> None:
    run = make_run(runnable, state)
    with pytest.raises(Conflict, match=state):
        replay(run)
    assert making.replay([run.pk], now=NOW) == []
    assert Run.objects.count() == 1


@pytest.mark.django_db
def test_what_was_skipped_is_not_replayed_but_backfilled(runnable: Runnable, rung: list[str]) -> None:
    run = make_run(runnable, State.SKIPPED, occurrence=NOW)
    with pytest.raises(Conflict, match="backfill"):
        replay(run)
    assert making.replay([run.pk], now=NOW) == []
    assert Run.objects.count() == 1


@pytest.mark.django_db
def test_a_run_of_what_was_deleted_is_not_replayed(runnable: Runnable, rung: list[str]) -> None:
    run = Run.objects.select_related("runnable").get(pk=make_run(runnable, State.FAILED).pk)
    Runnable.objects.all().delete()
    with pytest.raises(Conflict, match="deleted in the meantime"):
        replay(run)
    assert (Run.objects.count(), AuditEntry.objects.count(), rung) == (1, 0, [])


@pytest.mark.django_db
def test_a_replay_can_be_claimed_finished_and_replayed_itself(runnable: Runnable, rung: list[str]) -> None:
    first = replay(make_run(runnable, State.FAILED, number=1))
    [claimed] = lifecycle.claim(queue="io", worker=ME, limit=5, now=NOW)
    assert claimed.id == first.pk
    lifecycle.finish([ended(first)], worker=ME)
    first.refresh_from_db()
    assert (first.state, first.replay_of is not None) == ("succeeded", True)
    assert replay(first).replay_of == first.pk


@pytest.mark.django_db
def test_many_are_replayed_in_steps_each_once_and_numbered_in_their_order(
    runnable: Runnable, rung: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "STEP", 2)
    other = Runnable.objects.create(application=runnable.application, kind="http", name="b", anchor=NOW)
    mine = [make_run(runnable, State.FAILED, number=n) for n in (1, 2, 3)]
    theirs = make_run(other, State.ABORTED, number=1)
    waits = make_run(other, State.QUEUED, number=2)
    count = services.replay_runs(
        application=runnable.application, run_ids=[run.pk for run in (waits, theirs, *mine[::-1])], by=OPERATOR, now=NOW
    )
    assert count == 4
    new = dict(Run.objects.filter(cause="replay").values_list("replay_of", "number"))
    assert new == {mine[0].pk: 1, mine[1].pk: 2, mine[2].pk: 3, theirs.pk: 1}
    made = Run.objects.of(runnable.pk).filter(cause="replay").order_by("id")
    assert list(made.values_list("number", flat=True)) == [1, 2, 3]
    assert list(AuditEntry.objects.order_by("id").values_list("subject", "changes")) == [
        ("2 runs", {"runs": [None, [f"{runnable.name} 1", f"{runnable.name} 2"]]}),
        ("2 runs", {"runs": [None, [f"{runnable.name} 3", "b 1"]]}),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("verb", [services.abort_runs, services.replay_runs])
def test_the_log_names_the_first_of_many_runs_and_counts_the_rest(
    runnable: Runnable, rung: list[str], monkeypatch: pytest.MonkeyPatch, verb: Any
) -> None:
    monkeypatch.setattr(services, "MOST_NAMED", 2)
    state = State.QUEUED if verb is services.abort_runs else State.FAILED
    ids = [make_run(runnable, state, number=n).pk for n in (1, 2, 3, 4)]
    verb(application=runnable.application, run_ids=ids[::-1], by=OPERATOR, now=NOW)
    entry = AuditEntry.objects.get()
    name = runnable.name
    assert (entry.subject, entry.changes) == ("4 runs", {"runs": [None, [f"{name} 1", f"{name} 2", "and 2 more"]]})


@pytest.mark.django_db
def test_of_many_where_there_was_one_the_log_tells_its_name(runnable: Runnable) -> None:
    run = make_run(runnable, State.QUEUED, number=7)
    services.abort_runs(application=runnable.application, run_ids=[run.pk], by=OPERATOR, now=NOW)
    entry = AuditEntry.objects.get()
    assert (entry.subject, entry.changes) == (f"{runnable.name} 7", {})


@pytest.mark.django_db
def test_many_are_aborted_those_that_are_over_are_left_and_each_is_told_why(
    runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "STEP", 3)
    runs = {state: make_run(runnable, state) for state in State}
    ids = [run.pk for run in runs.values()]
    place = runnable.application
    assert services.abort_runs(application=place, run_ids=ids, by=OPERATOR, now=NOW) == 4
    assert services.abort_runs(application=place, run_ids=ids, by=OPERATOR, now=NOW) == 0
    for state, run in runs.items():
        run.refresh_from_db()
        assert run.state == (state if state in FINAL else "aborted")
    assert LogLine.objects.filter(message="Aborted on request.").count() == 4


@pytest.mark.django_db
def test_runs_of_another_application_are_left_whoever_names_them(runnable: Runnable, rung: list[str]) -> None:
    failed, waits = make_run(runnable, State.FAILED, number=1), make_run(runnable, State.QUEUED, number=2)
    ids, stranger = [failed.pk, waits.pk], make_application("Charlie's")
    assert services.replay_runs(application=stranger, run_ids=ids, by=OPERATOR, now=NOW) == 0
    assert services.abort_runs(application=stranger, run_ids=ids, by=OPERATOR, now=NOW) == 0
    assert list(Run.objects.order_by("number").values_list("state", flat=True)) == ["failed", "queued"]


@pytest.mark.django_db(transaction=True)
def test_who_replays_at_once_and_the_tick_count_every_run_once() -> None:
    application = make_application()
    owners = [make_job(application, tag, run_every="PT1H").runnable for tag in "abc"]
    runs = [make_run(owner, State.FAILED, number=n) for n in range(20) for owner in owners]

    def again(ids: list[UUID]) -> None:
        services.replay_runs(application=application, run_ids=ids, by=OPERATOR, now=NOW)

    @transaction.atomic
    def tick() -> None:
        list(Runnable.objects.select_for_update(no_key=True).order_by("pk"))
        making.queue_planned([Plan(owner.pk, NOW + HOUR, [Occurrence(NOW, NOW)]) for owner in owners], NOW)

    ids = [run.pk for run in runs]
    together(partial(again, ids), partial(again, ids[::-1]), tick, partial(again, ids))
    for owner in owners:
        owner.refresh_from_db()
        new = Run.objects.filter(runnable=owner, state="queued")
        assert sorted(new.values_list("number", flat=True)) == list(range(1, owner.runs_made + 1))
        assert owner.runs_made == 61


@pytest.mark.django_db(transaction=True)
def test_who_aborts_many_waits_for_nobody_who_holds_some_of_them() -> None:
    application = make_application()
    owner = make_job(application).runnable
    runs = [make_run(owner, State.RUNNING, worker=ME) for _ in range(200)]
    ids = [run.pk for run in runs]

    def finish() -> None:
        for run in reversed(runs):
            lifecycle.finish([ended(run)], worker=ME)

    together(
        partial(services.abort_runs, application=application, run_ids=ids, by=OPERATOR, now=NOW),
        finish,
        partial(services.abort_runs, application=application, run_ids=ids[::-1], by=OPERATOR, now=NOW),
    )
    assert set(Run.objects.values_list("state", flat=True)) <= {"aborted", "succeeded"}


def replayed(alice: Caller, run: Run, **headers: str) -> Any:
    return alice.send("POST", f"/runs/{run.pk}/replay/", b"", **headers)


@pytest.mark.django_db
def test_by_rest_a_run_is_replayed_and_says_which_it_repeats(alice: Caller, rung: list[str]) -> None:
    old = make_run(make_job(alice.application, "nightly").runnable, State.FAILED, number=3)
    answer = replayed(alice, old)
    assert answer.status == 202
    assert (answer.body["replay_of"], answer.body["cause"], answer.body["name"]) == (str(old.pk), "replay", "nightly")
    assert alice.get(f"/runs/{old.pk}/").body["replay_of"] is None
    assert [run["id"] for run in alice.get("/runs/?cause=replay").body["results"]] == [answer.body["id"]]
    assert AuditEntry.objects.filter(action="run.replay", via="api").count() == 1


@pytest.mark.django_db
def test_by_rest_the_same_request_twice_makes_one_replay(alice: Caller, rung: list[str]) -> None:
    old = make_run(make_job(alice.application).runnable, State.FAILED)
    first, second = (replayed(alice, old, Idempotency_Key="k") for _ in range(2))
    assert first.body == second.body
    assert Run.objects.filter(replay_of=old.pk).count() == 1


@pytest.mark.django_db
def test_by_rest_a_run_that_is_not_over_is_a_conflict(alice: Caller, rung: list[str]) -> None:
    answer = replayed(alice, make_run(make_job(alice.application).runnable, State.RUNNING))
    assert (answer.status, answer.content_type) == (409, PROBLEM)
    assert "running" in answer.body["detail"]


@pytest.mark.django_db
def test_by_rest_a_run_of_a_deleted_job_is_not_there(alice: Caller, rung: list[str]) -> None:
    job = make_job(alice.application)
    run = make_run(job.runnable, State.FAILED)
    Run.objects.filter(pk=run.pk).update(runnable_id=job.runnable_id + 999)
    assert replayed(alice, run).status == 404


@pytest.mark.django_db
def test_who_asks_for_a_replay_asks_for_their_own(rung: list[str]) -> None:
    theirs: Application = make_application("Charlie's")
    run = make_run(make_job(theirs).runnable, State.FAILED)
    new = replay(run)
    assert (new.application_id, AuditEntry.objects.latest("id").application) == (theirs.pk, theirs)
