"""A run whose result waited says by REST what became of it: approved, dropped, or replaced by a later one."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs.models import Run, State
from slurps.models import Collection, Version
from slurps.storing.swapping import approve, drop
from tests.callers import Caller
from tests.factories import NOW, make_async_job, make_collection, make_run
from tests.slurps.collecting.held import hold_rows
from tests.slurps.storing.loads import load

pytestmark = pytest.mark.django_db

LATER = ("rows", "added", "changed", "unchanged", "removed")


def waiting(caller: Caller, mode: str = "normal", **fields: Any) -> tuple[Collection, Version]:
    """A collection with a version, and the result of run 7, which is over, in front of it."""
    key = ["id"] if "upsert" in mode else []
    job = make_async_job(caller.application, "j")
    collection = make_collection(caller.application, async_job=job, name="people", mode=mode, key=key, **fields)
    load(collection, [{"id": 1}])
    version = hold_rows(collection, [{"id": 2}, {"id": 3}])
    output = {"collection": "people", "version": None, "stage": "held", "read": 2, "written": 2, "rows": 0}
    Run.objects.filter(pk=str(version.run_id)).update(number=7, state=State.SUCCEEDED, finished_at=NOW, output=output)
    return collection, version


def told(caller: Caller) -> Any:
    """What the list says of run 7."""
    return next(run for run in caller.get("/async-jobs/j/runs/").body["results"] if run["number"] == 7)


@pytest.mark.parametrize("mode", ["normal", "upserted", "accumulative"])
def test_while_it_waits_nobody_has_counted_what_it_will_be(alice: Caller, mode: str) -> None:
    _, version = waiting(alice, mode)
    run, held = told(alice), alice.get("/async-jobs/j/collections/people/versions/held/").body
    assert (run["stage"], run["version"], run["written"], held["written"]) == ("held", None, 2, 2)
    assert {run[name] for name in LATER} == {held[name] for name in LATER} == {None}
    assert version.written == 2


@pytest.mark.parametrize(("mode", "count"), [("normal", 2), ("upserted", 3), ("accumulative", 3)])
def test_approved_it_is_a_version(alice: Caller, mode: str, count: int) -> None:
    _, version = waiting(alice, mode)
    approve(version)
    run = told(alice)
    assert (run["stage"], run["version"], run["rows"], run["replaced_by"]) == ("ready", 2, count, None)
    assert alice.get(f"/runs/{version.run_id}/").body["output"]["version"] == 2


def test_an_old_run_that_was_told_nothing_says_so_too(alice: Caller) -> None:
    _, version = waiting(alice)
    before = Run.objects.get(number=7).output
    approve(version)
    Run.objects.filter(number=7).update(output=before)
    assert (told(alice)["stage"], told(alice)["version"], told(alice)["rows"]) == ("ready", 2, 2)


def test_approved_and_kept_no_more_it_is_told_all_the_same(alice: Caller) -> None:
    collection, version = waiting(alice)
    approve(version)
    load(Collection.objects.get(pk=collection.pk), [{"id": 4}])
    assert not Version.objects.filter(pk=version.pk).exists()
    assert (told(alice)["stage"], told(alice)["version"]) == ("ready", 2)


def test_dropped_it_says_so(alice: Caller) -> None:
    _, version = waiting(alice)
    drop(version)
    assert (told(alice)["stage"], told(alice)["version"], told(alice)["rows"]) == ("dropped", None, None)


@pytest.mark.parametrize("later", [load, hold_rows])
def test_a_later_result_that_took_its_place_is_named(alice: Caller, later: Any) -> None:
    collection, version = waiting(alice)
    made = later(collection, [{"id": 5}])
    number = Run.objects.values_list("number", flat=True).get(pk=str(made.run_id))
    assert (told(alice)["stage"], told(alice)["replaced_by"]) == ("replaced", number)
    assert made.overtook == [7]
    assert not Version.objects.filter(pk=version.pk, stage="held").exists()


def test_one_that_nobody_knows_of_any_more_does_not_wait(alice: Caller) -> None:
    job = make_async_job(alice.application, "j")
    make_run(job.runnable, State.SUCCEEDED, number=7, output={"collection": "x", "stage": "held", "written": 2})
    assert told(alice)["stage"] == "gone"


def test_a_page_costs_no_more_however_many_waited(alice: Caller) -> None:
    _, version = waiting(alice)
    output = Run.objects.get(number=7).output
    queries(alice)
    before = queries(alice)
    for number in range(8, 12):
        make_run(version.collection.async_job.runnable, State.SUCCEEDED, number=number, output=output)
    assert queries(alice) == before


def queries(caller: Caller) -> int:
    with CaptureQueriesContext(connection) as caught:
        told(caller)
    return len(caught)
