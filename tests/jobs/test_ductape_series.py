"""A series in Ductape's words: so many runs, so far apart, without drift, and then it is over."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from badgerjobs.runs import dispatch
from badgerjobs.runs.models import Run, Runnable, State
from tests.callers import Caller

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def test_a_hundred_runs_are_a_second_apart_however_late_each_tick_is(
    alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = {"tag": "t", "endpoint": "https://example.org/", "verb": "GET"}
    start = timezone.now().replace(microsecond=0) + 3600 * SECOND
    made = alice.post("/jobs/", {**call, "executions": 100, "intervals": 1000, "start_at": start.isoformat()})
    assert made.status == 201, made.body
    for number in range(105):
        late = timedelta(milliseconds=number * 37 % 900)
        first_due = Runnable.objects.get().next_run_at
        monkeypatch.setattr(
            dispatch, "_look", lambda now=start + number * SECOND + late, due=first_due: (now, due, None)
        )
        dispatch.tick()
        Run.objects.update(state=State.SUCCEEDED)
    occurrences = [run.occurrence for run in Run.objects.order_by("number")]
    assert len(occurrences) == 100
    assert occurrences[0] == start
    assert {later - earlier for earlier, later in pairwise(filter(None, occurrences))} == {SECOND}
    read = alice.get("/jobs/t/").body
    assert (read["status"], read["next_run_at"]) == ("completed", None)


def test_executions_count_runs_and_neither_attempts_nor_runs_by_hand(
    alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = timezone.now().replace(microsecond=0) + 3600 * SECOND
    call = {"tag": "t", "endpoint": "https://example.org/", "verb": "GET", "start_at": start.isoformat()}
    assert alice.post("/jobs/", {**call, "executions": 2, "intervals": 1000}).status == 201
    assert alice.post("/jobs/t/run/").status == 202
    for number in range(4):
        Run.objects.update(state=State.FAILED, attempts=3)
        due = Runnable.objects.get().next_run_at
        monkeypatch.setattr(dispatch, "_look", lambda now=start + number * SECOND, due=due: (now, due, None))
        dispatch.tick()
    Run.objects.update(state=State.FAILED)
    assert sorted(Run.objects.values_list("cause", flat=True)) == ["manual", "schedule", "schedule"]
    assert alice.get("/jobs/t/").body["status"] == "failed"


def test_a_series_that_starts_now_begins_on_its_own_beat(alice: Caller) -> None:
    call = {"tag": "t", "endpoint": "https://example.org/", "verb": "GET"}
    alice.post("/jobs/", {**call, "intervals": 1000, "start_at": 0})
    runnable = Runnable.objects.get()
    assert runnable.run_at == runnable.next_run_at  # else the second run would come too soon after the first
