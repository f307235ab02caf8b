"""What is planned when something is made, changed, switched, run by hand or deleted."""

from copy import copy
from datetime import datetime, timedelta
from typing import Any

import pytest

from badgerjobs.runs import making, services
from badgerjobs.runs.models import Cause, Run, Runnable, State
from badgerjobs.runs.planning import Occurrence, Plan
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.audit import OPERATOR
from tests.factories import NOW, make_application, make_run, make_runnable
from tests.runs.claims import ME

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def notified(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues that were rung."""
    rung: list[str] = []
    monkeypatch.setattr(services, "ring_after_commit", rung.append)
    return rung


def add(now: datetime = NOW, **fields: Any) -> Runnable:
    runnable = Runnable(application=make_application(), kind="http", name="a-job", **fields)
    return services.add_runnable(runnable, now=now)


def change(runnable: Runnable, now: datetime = NOW, **fields: Any) -> Runnable:
    runnable.refresh_from_db()
    before = copy(runnable)
    for name, value in fields.items():
        setattr(runnable, name, value)
    services.change_runnable(runnable, before=before, now=now)
    runnable.refresh_from_db()
    return runnable


@pytest.mark.parametrize(
    ("fields", "first"),
    [
        pytest.param({}, None, id="nothing planned: by hand only"),
        pytest.param({"run_at": NOW + HOUR}, NOW + HOUR, id="once, later"),
        pytest.param({"run_at": NOW - HOUR}, NOW, id="once, in the past: at once"),
        pytest.param({"run_every": "PT1H"}, NOW, id="a series begins now"),
        pytest.param({"run_every": "PT1H", "run_at": NOW + HOUR}, NOW + HOUR, id="a series begins later"),
        pytest.param({"run_every": "PT1H", "run_at": NOW - HOUR / 4}, NOW + HOUR * 3 / 4, id="a series that has begun"),
        pytest.param({"run_every": "PT1H", "run_at": NOW - timedelta(seconds=9)}, NOW, id="a series that just begins"),
        pytest.param({"cron": "30 12 * * *"}, NOW + HOUR / 2, id="cron"),
        pytest.param({"cron": "30 13 * * *", "time_zone": "Europe/Zurich"}, NOW + HOUR / 2, id="cron in a zone"),
        pytest.param({"preset": "hourly"}, NOW, id="a preset, due this minute"),
        pytest.param({"run_every": "PT1H", "enabled": False}, None, id="disabled"),
    ],
)
def test_the_first_run_is_planned_when_it_is_made(fields: dict[str, Any], first: datetime | None) -> None:
    runnable = add(**fields)
    runnable.refresh_from_db()

    assert runnable.next_run_at == first
    assert runnable.anchor is not None


def test_a_changed_schedule_aborts_what_waits_and_leaves_what_runs() -> None:
    runnable = add(run_every="PT1H")
    runs = {state: make_run(runnable, state, worker=ME if state == State.RUNNING else None) for state in State}
    other = make_run(make_runnable(make_application("Charlie's")))

    change(runnable, now=NOW + timedelta(minutes=5), run_every="PT2H")

    assert runnable.next_run_at == NOW + timedelta(minutes=5)
    for state, run in runs.items():
        run.refresh_from_db()
        waited = state in (State.SCHEDULED, State.QUEUED, State.RETRYING)
        assert run.state == ("aborted" if waited else state)
        assert [line.message for line in run.log.all()] == (["The schedule was changed."] if waited else [])
    other.refresh_from_db()
    assert other.state == "queued"


@pytest.mark.parametrize(
    "fields",
    [
        {"run_at": NOW + 2 * HOUR},
        {"run_every": "PT2H"},
        {"run_every": "", "cron": "0 8 * * *"},
        {"run_every": "", "preset": "daily"},
        {"time_zone": "Europe/Zurich"},
        {"enabled": False},
    ],
    ids="+".join,
)
def test_each_field_of_a_schedule_plans_anew(fields: dict[str, Any]) -> None:
    runnable = add(run_every="PT1H", run_at=NOW + HOUR)
    run = make_run(runnable)

    change(runnable, **fields)

    run.refresh_from_db()
    assert run.state == "aborted"


@pytest.mark.parametrize("fields", [{"name": "b"}, {"priority": 1}, {"retries": 0}, {"run_every": "PT1H"}])
def test_a_change_of_something_else_plans_nothing_anew(fields: dict[str, Any]) -> None:
    runnable = add(run_every="PT1H")
    Runnable.objects.update(next_run_at=NOW + HOUR / 3)
    run = make_run(runnable)

    change(runnable, **fields)

    run.refresh_from_db()
    assert run.state == "queued"
    assert runnable.next_run_at == NOW + HOUR / 3


def test_a_change_keeps_what_dispatch_wrote_after_the_row_was_read() -> None:
    runnable = add(run_every="PT1H")
    before = copy(runnable)
    Runnable.objects.update(runs_made=5, last_run_at=NOW + HOUR)
    runnable.priority = 3

    services.change_runnable(runnable, before=before, now=NOW)

    runnable.refresh_from_db()
    assert (runnable.priority, runnable.runs_made, runnable.last_run_at) == (3, 5, NOW + HOUR)


def test_what_is_disabled_is_planned_no_more_and_what_is_enabled_keeps_its_rhythm() -> None:
    runnable = add(run_every="PT1H")

    assert change(runnable, enabled=False).next_run_at is None
    assert change(runnable, now=NOW + HOUR * 2.5, enabled=True).next_run_at == NOW + 3 * HOUR


def test_once_that_was_not_yet_runs_when_it_is_enabled_again() -> None:
    runnable = add(run_at=NOW + HOUR)
    change(runnable, enabled=False)

    assert change(runnable, now=NOW + HOUR / 2, enabled=True).next_run_at == NOW + HOUR
    change(runnable, enabled=False)
    assert change(runnable, now=NOW + 2 * HOUR, enabled=True).next_run_at == NOW + 2 * HOUR


def test_once_means_once() -> None:
    runnable = add(run_at=NOW)
    making.queue_planned([Plan(runnable.pk, None, [Occurrence(NOW, NOW)])], NOW + timedelta(seconds=1))
    Run.objects.update(state="succeeded")

    change(runnable, now=NOW + HOUR, enabled=False)

    assert change(runnable, now=NOW + HOUR, enabled=True).next_run_at is None
    assert change(runnable, now=NOW + HOUR, run_at=NOW + 2 * HOUR).next_run_at == NOW + 2 * HOUR


def test_what_was_switched_off_before_it_ran_runs_when_it_is_switched_on_again() -> None:
    runnable = add(run_at=NOW)
    making.queue_planned([Plan(runnable.pk, None, [Occurrence(NOW, NOW)])], NOW + timedelta(seconds=1))

    change(runnable, now=NOW + HOUR, enabled=False)

    assert Run.objects.get().state == "aborted"
    assert change(runnable, now=NOW + HOUR, enabled=True).next_run_at == NOW + HOUR


def test_a_run_by_hand_counts_up_and_leaves_the_schedule_alone(notified: list[str]) -> None:
    runnable = add(run_every="PT1H", run_at=NOW + HOUR, priority=9)

    first, second = (services.run_now(runnable=runnable, cause=Cause.MANUAL, now=NOW) for _ in range(2))

    assert (first.number, second.number) == (1, 2)
    assert (second.state, second.due_at, second.occurrence, second.priority) == ("queued", NOW, None, 9)
    runnable.refresh_from_db()
    assert (runnable.next_run_at, runnable.last_run_at, runnable.runs_made) == (NOW + HOUR, NOW, 2)
    assert notified == ["io", "io"]


def test_what_is_disabled_can_be_run_by_hand() -> None:
    runnable = add(run_every="PT1H", enabled=False)

    assert services.run_now(runnable=runnable, cause=Cause.MANUAL, now=NOW).state == "queued"


def test_what_was_deleted_meanwhile_cannot_be_run() -> None:
    runnable = add()
    Runnable.objects.all().delete()

    with pytest.raises(Conflict, match="deleted"):
        services.run_now(runnable=runnable, cause=Cause.MANUAL, now=NOW)
    assert not Run.objects.exists()


@pytest.mark.parametrize("state", State)
def test_what_is_over_cannot_be_aborted_but_aborting_twice_is_no_mistake(state: State, runnable: Runnable) -> None:
    run = make_run(runnable, state)

    if state in (State.SUCCEEDED, State.FAILED, State.SKIPPED):
        with pytest.raises(Conflict, match=state):
            services.abort_run(run=run, by=OPERATOR, now=NOW)
    else:
        assert services.abort_run(run=run, by=OPERATOR, now=NOW).state == "aborted"
