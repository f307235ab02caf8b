"""What came while nothing was dispatched is told, though by the time anybody can tell nothing is late any more."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs import dispatch, fleet, many, outages, watch
from badgerjobs.runs.models import Incident, Run, Runnable, State, Trouble
from badgerjobs.runs.outages import Outage
from badgerjobs.workspaces.models import Application
from tests.factories import NOW, make_application, make_run, make_runnable

pytestmark = pytest.mark.django_db
S, MIN = timedelta(seconds=1), timedelta(minutes=1)
OUTAGE = 112 * S


@pytest.fixture
def shop(db: None) -> Application:
    """Whose work is late after a minute."""
    application = make_application()
    Application.objects.filter(pk=application.pk).update(late_after_s=60)
    return application


def planned(application: Application, ago: timedelta, **fields: Any) -> Runnable:
    """Something that was due so long ago, by the database's clock."""
    due = fleet.database_now() - ago
    given = {"run_every": "PT10S", "anchor": due, "next_run_at": due, **fields}
    return make_runnable(application, **given)


def test_after_an_outage_an_incident_says_what_was_missed_and_what_was_done(shop: Application) -> None:
    first = planned(shop, OUTAGE)
    planned(shop, OUTAGE - S, name="lost", catch_up="none", run_every="PT1H")
    tick = dispatch.tick()
    incident = Incident.objects.get()
    assert (incident.application_id, incident.runnable_id, incident.trouble) == (shop.pk, None, Trouble.LATE)
    assert (incident.opened_at, incident.closed_at, incident.told_at) == (tick.now, None, None)
    assert incident.overdue == 13
    since, until = (f"{at:%Y-%m-%d %H:%M:%S}" for at in (first.anchor, tick.now))
    day = until.partition(" ")[0]
    assert incident.sentence == (
        "Nothing was dispatched for a while: 13 occurrences of 2 jobs came "
        f"from {since} to {until.removeprefix(f'{day} ') if since.startswith(day) else until} UTC. "
        "12 were skipped as missed, 1 was then run."
    )


def test_it_is_over_when_nothing_is_late_any_more(shop: Application) -> None:
    planned(shop, OUTAGE, catch_up="none", run_every="PT1H")
    tick = dispatch.tick()
    assert watch.look(tick.now + S) == 1
    incident = Incident.objects.get()
    assert (incident.closed_at, incident.closing_told_at) == (tick.now + S, None)


@pytest.mark.parametrize(
    ("ago", "late_after_s", "fields", "is_told"),
    [
        pytest.param(OUTAGE, 60, {}, True, id="the latest is run, for longer than allowed"),
        pytest.param(OUTAGE, 300, {}, False, id="the latest is run, for less than allowed"),
        pytest.param(OUTAGE, 300, {"catch_up": "none", "run_every": "PT1H"}, True, id="lost, for more than a minute"),
        pytest.param(50 * S, 300, {"catch_up": "none", "run_every": "PT1H"}, False, id="run, as it is recent"),
        pytest.param(50 * S, 300, {"catch_up_within_s": 20, "run_every": "PT1H"}, False, id="lost, in less than one"),
        pytest.param(50 * S, 30, {"catch_up_within_s": 20, "run_every": "PT1H"}, True, id="lost, and late by then"),
        pytest.param(OUTAGE, 60, {"run_every": "", "run_at": NOW}, True, id="once, and late"),
        pytest.param(OUTAGE, None, {}, False, id="nobody wants to know"),
        pytest.param(
            OUTAGE, None, {"catch_up": "none", "run_every": "PT1H"}, False, id="lost, and nobody wants to know"
        ),
        pytest.param(3 * S, 60, {"run_every": "PT1S"}, False, id="a slow tick"),
        pytest.param(
            2 * OUTAGE, 60, {"spread_s": 200, "offset_ms": 112_000}, True, id="late by its place in its spread"
        ),
        pytest.param(
            40 * S, 60, {"anchor": NOW, "run_every": "PT1H", "offset_ms": 3_000_000}, False, id="waited in its spread"
        ),
    ],
)
def test_it_is_told_from_when_on_the_application_wants_to_know(
    shop: Application, ago: timedelta, late_after_s: int | None, fields: dict[str, Any], is_told: bool
) -> None:
    Application.objects.update(late_after_s=late_after_s)
    planned(shop, ago, **fields)
    dispatch.tick()
    assert Incident.objects.exists() is is_told


def test_a_pause_that_is_over_and_a_time_that_was_past_when_it_was_set_are_no_outage(shop: Application) -> None:
    now = fleet.database_now()
    paused = planned(shop, timedelta(hours=1))
    many.pause_all([paused.pk], now=now - timedelta(hours=1), until=now - MIN)
    planned(shop, S, name="once", run_every="", run_at=NOW, next_occurrence=NOW)
    dispatch.tick()
    assert Run.objects.filter(state=State.SKIPPED, skip_reason="paused").exists()
    assert Run.objects.filter(state=State.QUEUED).exists()
    assert not Incident.objects.exists()


def test_one_that_others_saw_already_says_from_then_on_what_came_of_it(shop: Application) -> None:
    planned(shop, OUTAGE, catch_up="none", run_every="PT1H")
    watch.look(fleet.database_now())
    assert Incident.objects.get().sentence.startswith("1 ")
    dispatch.tick()
    incident = Incident.objects.get()
    assert incident.sentence.endswith("It was skipped as missed.")
    assert incident.overdue == 1


def test_what_one_tick_does_not_reach_is_counted_and_told_of_once(shop: Application) -> None:
    for number in range(3):
        planned(shop, OUTAGE, name=f"job-{number}", run_every="PT1H")
    while dispatch.tick(limit=2).more:
        pass
    incident = Incident.objects.get()
    assert incident.overdue == 3
    assert incident.sentence.endswith("All of them were then run. More of them follow.")


def test_each_application_is_told_of_its_own_in_as_many_statements_for_many_as_for_one(shop: Application) -> None:
    counts = []
    for count in (1, 20):
        others = [make_application(f"{count} {n}") for n in range(count)]
        Application.objects.update(late_after_s=60)
        for one in others:
            for number in range(2):
                planned(one, OUTAGE, name=f"job-{number}")
        with CaptureQueriesContext(connection) as captured:
            dispatch.tick()
        counts.append(len(captured))
        found = Incident.objects.filter(application__in=others)
        assert [one.sentence.count("of 2 jobs") for one in found] == [1] * count
    assert counts[0] == counts[1]


def test_when_nothing_was_missed_nothing_is_asked(shop: Application) -> None:
    planned(shop, timedelta(0), run_every="PT1H")
    with CaptureQueriesContext(connection) as captured:
        dispatch.tick()
    assert Run.objects.count() == 1
    assert not any("late_after_s" in query["sql"] or "runs_incident" in query["sql"] for query in captured)


def test_what_is_being_run_late_is_late_until_somebody_takes_it(shop: Application) -> None:
    planned(shop, OUTAGE, run_every="PT1H")
    tick = dispatch.tick()
    assert watch.look(tick.now) == 0
    Run.objects.update(state=State.RUNNING)
    assert watch.look(tick.now) == 1
    make_run(Runnable.objects.get(), due_at=tick.now)
    assert Incident.objects.get().closed_at


@pytest.mark.parametrize(
    ("outage", "said"),
    [
        (
            Outage(1, 1, 0, NOW, NOW + MIN),
            "a while: 1 occurrence of 1 job came from 2026-03-02 12:00:00 to 12:01:00 UTC. It was skipped as missed.",
        ),
        (Outage(2, 0, 1, NOW, NOW + MIN), "12:01:00 UTC. It was then run."),
        (Outage(2, 61, 0, NOW, NOW + MIN), "12:01:00 UTC. They were skipped as missed, and none was run."),
        (Outage(2, 0, 4, NOW, NOW + MIN), "12:01:00 UTC. All of them were then run."),
        (
            Outage(5, 1200, 4, NOW, NOW + timedelta(days=1)),
            "from 2026-03-02 12:00:00 to 2026-03-03 12:00:00 UTC. 1,200 were skipped as missed, 4 were then run.",
        ),
        (Outage(5, 1, 1, NOW, NOW + MIN), "1 was skipped as missed, 1 was then run."),
    ],
    ids=["one lost", "one run", "all lost", "all run", "over a day", "one of each"],
)
def test_the_sentence_says_how_many_from_when_to_when_and_what_was_done(outage: Outage, said: str) -> None:
    assert outages.sentence(outage).endswith(said)
