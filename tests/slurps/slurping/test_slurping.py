"""One attempt: what it stores, what it says, and what it leaves when it fails."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connection

from badgerjobs.runs.models import State
from badgerjobs.runs.services import abort_run
from badgerjobs.sources.models import DataSource
from badgerjobs.workspaces.audit import OPERATOR
from slurps.models import Collection, Language, Row, Slurper, SlurperSource, Stage, Version
from slurps.slurping import slurping
from slurps.slurping.plan import SlurpError
from slurps.slurping.slurping import slurp
from slurps.slurping.streaming import GivenUpError
from slurps.storing.swapping import approve, drop
from tests.factories import NOW, make_application, make_async_job, make_collection, make_run
from tests.slurps.slurping.attempts import Attempts, ids, rows
from tests.slurps.storing.loads import seen

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Attempts:
    return Attempts(monkeypatch)


@pytest.fixture
def job() -> Any:
    shop = make_application()
    slurper = Slurper.objects.create(application=shop, tag="users", name="Users")
    source = DataSource.objects.create(application=shop, tag="users", name="Users", type="REST")
    SlurperSource.objects.create(slurper=slurper, source=source, place=1)
    return make_async_job(shop, slurper=slurper)


def collection_of(job: Any, **fields: Any) -> Collection:
    return make_collection(job.application, async_job=job, **fields)


def code(job: Any, language: str, text: str) -> None:
    job.slurper.language, job.slurper.code = language, text
    job.slurper.save()


def test_all_batches_are_stored_and_counted(job: Any, attempts: Attempts) -> None:
    collection = collection_of(job)
    output = attempts.slurp(job, rows(1, 2), rows(3))
    assert ids(seen(collection)) == [1, 2, 3]
    assert output["collection"] == "prices"
    assert (output["version"], output["read"], output["written"], output["rows"]) == (1, 3, 3, 3)


def test_without_an_active_collection_nothing_is_stored_and_it_says_so(job: Any, attempts: Attempts) -> None:
    collection_of(job, is_active=False)
    output = attempts.slurp(job, rows(1, 2))
    assert (output["collection"], output["written"]) == (None, 2)
    assert attempts.said[-1][1].startswith("Nothing is stored: no collection of this job is active.")
    assert not Row.objects.exists()


def test_a_source_that_fails_in_the_middle_changes_nothing(job: Any, attempts: Attempts) -> None:
    collection = collection_of(job)
    attempts.slurp(job, rows(1))
    with pytest.raises(SlurpError, match="cut off"):
        attempts.slurp(job, rows(2), SlurpError("protocol", "cut off", retry=True))
    assert ids(seen(collection)) == [1]
    assert (Row.objects.count(), Version.objects.count()) == (1, 1)


def test_an_attempt_whose_end_nobody_heard_of_is_not_made_twice(job: Any, attempts: Attempts) -> None:
    collection = collection_of(job, mode="accumulative")
    run = make_run(job.runnable, State.RUNNING, worker=uuid4())
    first = attempts.slurp(job, rows(1), run=run)
    run.worker = uuid4()
    run.save()
    assert attempts.slurp(job, rows(1), run=run) == first
    assert ids(seen(collection)) == [1]


@pytest.mark.parametrize(("mode", "left"), [("normal", [2]), ("accumulative", [1, 2])])
def test_it_is_not_made_twice_though_what_it_left_is_kept_no_more(
    job: Any, attempts: Attempts, mode: str, left: list[int]
) -> None:
    collection = collection_of(job, mode=mode)
    first, second = (make_run(job.runnable, State.RUNNING, worker=uuid4()) for _ in range(2))
    output = attempts.slurp(job, rows(1), run=first)
    attempts.slurp(job, rows(2), run=second)
    first.worker = uuid4()
    first.save()
    assert attempts.slurp(job, rows(1), run=first)["version"] == output["version"] == 1
    assert ids(seen(collection)) == left


def test_keys_that_cannot_be_kept_are_those_that_stand_in_their_place(job: Any, attempts: Attempts) -> None:
    collection = collection_of(job, mode="upserted", key=["id"])
    attempts.slurp(job, [{"id": "\ud800"}, {"id": "\udfff"}, {"id": "\ufffd", "last": True}])
    assert seen(collection) == [{"id": "\ufffd", "last": True}]


def test_a_run_says_which_version_it_made_from_the_moment_on_that_readers_see_it(job: Any, attempts: Attempts) -> None:
    collection_of(job)
    run = make_run(job.runnable, State.RUNNING, worker=uuid4())
    attempts.slurp(job, rows(1), run=run)
    abort_run(run=run, by=OPERATOR, now=NOW)
    run.refresh_from_db()
    assert run.output
    assert (run.state, run.output["version"], run.output["written"]) == ("aborted", 1, 1)


def test_a_run_does_not_fail_of_what_it_could_not_delete(
    job: Any, attempts: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prune(_collection: Collection, **_: float) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(slurping, "prune", prune)
    collection = collection_of(job)
    assert attempts.slurp(job, rows(1, 2))["version"] == 1
    assert ids(seen(collection)) == [1, 2]


def test_what_is_taken_back_stores_nothing(job: Any, attempts: Attempts) -> None:
    collection = collection_of(job)
    attempts.stopped.set()
    with pytest.raises(GivenUpError):
        attempts.slurp(job, rows(1))
    assert seen(collection) == []
    assert not Version.objects.exists()


def test_a_run_that_was_aborted_meanwhile_stores_nothing(job: Any, attempts: Attempts) -> None:
    collection = collection_of(job)
    run = make_run(job.runnable, State.RUNNING, worker=uuid4())
    plan = attempts.plan(job, run=run)
    assert plan.worker
    run.state = State.ABORTED
    run.save()
    with pytest.raises(GivenUpError):
        attempts.slurp(job, rows(1), run=run)
    assert seen(collection) == []


def test_a_row_without_the_key_fails_the_run(job: Any, attempts: Attempts) -> None:
    collection = collection_of(job, mode="upserted", key=["id"])
    with pytest.raises(SlurpError, match="Row 2 has no “id”") as raised:
        attempts.slurp(job, [{"id": 1}, {"name": "x"}])
    assert (raised.value.error_class, raised.value.retry) == ("rows", False)
    assert seen(collection) == []


class TestCode:
    def test_over_all_rows(self, job: Any, attempts: Attempts) -> None:
        collection = collection_of(job)
        code(job, Language.JAVASCRIPT, "return dataMap.users.filter(u => u.id > 1).map(u => ({...u, by: ctx.job}));")
        attempts.slurp(job, rows(1, 2), rows(3))
        assert seen(collection) == [{"id": 2, "by": "prices"}, {"id": 3, "by": "prices"}]

    def test_batch_by_batch(self, job: Any, attempts: Attempts) -> None:
        collection = collection_of(job)
        code(job, Language.JAVASCRIPT_BATCHES, "console.log(source); return rows.map(r => ({id: r.id * rows.length}));")
        output = attempts.slurp(job, rows(1, 2), rows(3))
        assert ids(seen(collection)) == [2, 4, 3]
        assert output["read"] == 3
        assert ("info", "users") in attempts.said

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("return 5;", "must return a list of rows, and returned a number"),
            ("", "returned nothing"),
            ("throw new Error('no')", "The code failed"),
            ("return [1];", "Row 1 is a number"),
        ],
    )
    def test_that_gives_no_rows_fails_the_run(self, job: Any, attempts: Attempts, text: str, said: str) -> None:
        collection = collection_of(job)
        code(job, Language.JAVASCRIPT, text)
        with pytest.raises(SlurpError, match=said):
            attempts.slurp(job, rows(1))
        assert seen(collection) == []


class TestGuards:
    @pytest.mark.parametrize(
        ("guards", "given", "said"),
        [
            ({"empty": True}, [[]], "It has no rows."),
            (
                {"smaller_percent": 20},
                [rows(1, 2)],
                "It has 2 rows, 60 % fewer than the 5 before; 20 % may be missing.",
            ),
            ({"columns": "freeze"}, [[{"id": "x"}]], "Columns changed their type: id."),
            ({"columns": "freeze"}, [[{"id": 1, "b": 1}]], "Columns are new: b."),
            ({"columns": "freeze"}, [[{"b": 1}]], "Columns vanished: id. Columns are new: b."),
        ],
    )
    def test_hold_a_result_until_it_is_approved(
        self, job: Any, attempts: Attempts, guards: Any, given: Any, said: str
    ) -> None:
        collection = collection_of(job, guards=guards)
        attempts.slurp(job, rows(1, 2, 3, 4, 5))
        output = attempts.slurp(job, *given)
        assert (output["stage"], output["version"]) == ("held", None)
        held = Version.objects.get(stage=Stage.HELD)
        assert [flag["message"] for flag in held.flagged] == [said]
        assert ids(seen(collection)) == [1, 2, 3, 4, 5]
        approve(held)
        assert seen(collection) == [row for batch in given for row in batch]

    @pytest.mark.parametrize(("decide", "stage"), [(approve, "ready"), (drop, "dropped")])
    def test_a_result_that_is_decided_before_its_run_is_over_is_told_as_it_is_by_then(
        self, job: Any, attempts: Attempts, monkeypatch: pytest.MonkeyPatch, decide: Any, stage: str
    ) -> None:
        """Sources hear last what became of their rows, and may take their time."""

        def decided() -> None:
            try:
                decide(Version.objects.get(stage=Stage.HELD))
            finally:
                connection.close()

        async def settle(_plan: Any, kept: bool) -> None:
            if kept:
                await asyncio.to_thread(decided)

        collection_of(job, guards={"empty": True})
        run = make_run(job.runnable, State.RUNNING, worker=uuid4())
        monkeypatch.setattr(slurping, "settle", settle)
        output = attempts.slurp(job, [], run=run)
        run.refresh_from_db()
        assert (output["stage"], run.output) == (stage, output)

    def test_a_column_of_another_type_did_not_vanish_but_was_left_out(self, job: Any, attempts: Attempts) -> None:
        collection_of(job, guards={"columns": "discard"})
        attempts.slurp(job, [{"id": 1, "n": 1, "gone": 1}])
        attempts.slurp(job, [{"id": 1, "n": "x", "new": 1}])
        assert Version.objects.get(stage=Stage.HELD).flagged[0]["message"] == (
            "Columns vanished: gone. Columns came with another type and were left out: n."
        )

    @pytest.mark.parametrize("given", [rows(6), rows(1, 2, 3, 4, 5, 6)])
    def test_the_log_says_that_a_later_result_takes_the_place_of_one_that_waits(
        self, job: Any, attempts: Attempts, given: Any
    ) -> None:
        collection_of(job, guards={"smaller_percent": 20})
        attempts.slurp(job, rows(1, 2, 3, 4, 5))
        run = make_run(job.runnable, State.RUNNING, worker=uuid4(), number=12)
        assert attempts.slurp(job, rows(1), run=run)["stage"] == "held"
        attempts.said.clear()
        attempts.slurp(job, given)
        said = [message for _, message in attempts.said if "run 12" in message]
        assert said == [
            "The result of run 12 waited for approval: this one has taken its place, and it can be approved no more."
        ]

    def test_repeated_keys(self, job: Any, attempts: Attempts) -> None:
        collection_of(job, mode="upserted", key=["id"], guards={"repeated_keys": True})
        output = attempts.slurp(job, rows(1, 2, 1))
        assert output["stage"] == "held"
        assert Version.objects.get().flagged[0]["message"] == "1 row repeats a key that another one has."

    @pytest.mark.parametrize("guards", [{}, {"empty": False}, {"columns": "evolve"}, {"smaller_percent": 50}])
    def test_that_are_off_hold_nothing(self, job: Any, attempts: Attempts, guards: Any) -> None:
        collection = collection_of(job, guards=guards)
        attempts.slurp(job, rows(1, 2))
        attempts.slurp(job, [{"other": 1}])
        assert seen(collection) == [{"other": 1}]


def test_a_collection_that_is_deleted_meanwhile_stores_nothing(job: Any, attempts: Attempts) -> None:
    collection = collection_of(job)

    class Deletes(list[Any]):
        def __iter__(self) -> Any:
            Collection.objects.filter(pk=collection.pk).delete()
            return super().__iter__()

    with pytest.raises(GivenUpError):
        attempts.slurp(job, rows(1), Deletes(rows(2)))
    assert not Collection.objects.exists()


def test_a_collection_that_is_deleted_before_it_is_begun_with_stores_nothing(job: Any, attempts: Attempts) -> None:
    collection_of(job)
    plan = attempts.plan(job)
    Collection.objects.all().delete()
    with pytest.raises(GivenUpError):
        slurp(plan, stopped=attempts.stopped)
