"""How PostgreSQL finds rows: what is asked often must not walk all of history."""

import pytest
from django.db import connection

from badgerjobs.runs.models import RARE, Run, State
from badgerjobs.runs.querysets import RunQuerySet
from tests.factories import make_application, make_run, make_runnable
from tests.runs.staging import queue

pytestmark = pytest.mark.django_db


def plan_of(runs: RunQuerySet) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    return runs.explain()


def test_what_is_not_over_is_found_by_indexes_that_hold_nothing_else() -> None:
    runnable = make_runnable(make_application())
    for state in State:
        make_run(runnable, state)
    make_run(runnable, State.QUEUED, held=True)
    queue(runnable, 2000, state=State.SUCCEEDED)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE runs_run")

    plan = plan_of(Run.objects.unfinished().order_by())

    for index in ("run_queued", "run_held", "run_running", "run_waiting"):
        assert index in plan
    assert Run.objects.unfinished().count() == 5


@pytest.mark.parametrize("state", RARE)
def test_a_jobs_few_bad_runs_are_found_by_an_index_that_holds_no_good_one(state: State) -> None:
    runnable = make_runnable(make_application())
    make_run(runnable, state)

    plan = plan_of(Run.objects.of(runnable.pk).filter(state=state).order_by("-id")[:25])

    assert "runnable_ended_badly" in plan
    assert "Sort" not in plan
