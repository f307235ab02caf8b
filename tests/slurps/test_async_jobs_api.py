"""Async jobs are made, changed, run, paused and deleted by REST."""

from typing import Any

import pytest

from badgerjobs.runs.models import Run, Runnable, State
from badgerjobs.workspaces.models import AuditEntry
from slurps.models import AsyncJob, Collection, Row, Slurper, Version
from tests.callers import Caller
from tests.factories import NOW, make_async_job, make_collection, make_run
from tests.in_turn import in_turn
from tests.slurps.storing.loads import load


@pytest.fixture(autouse=True)
def slurper(alice: Caller) -> Slurper:
    return Slurper.objects.create(application=alice.application, tag="s", name="s")


DAILY = {"tag": "j", "slurper": "s", "cron": "0 4 * * *", "time_zone": "Europe/Zurich"}


class TestMaking:
    def test_one_with_a_schedule_is_planned_for_those_who_compute(self, alice: Caller) -> None:
        made = alice.post("/async-jobs/", {**DAILY, "name": "Import", "timeout": 60})
        assert made.status == 201
        shown = {name: made.body[name] for name in ("tag", "name", "slurper", "timeout", "cron", "time_zone")}
        assert shown == {**DAILY, "name": "Import", "timeout": 60}
        assert made.body["next_run_at"]
        assert (made.body["enabled"], made.body["collection"], made.body["remembered"]) == (True, None, {})
        assert (made.body["overlap"], made.body["retries"]) == ("skip", 3)
        runnable = Runnable.objects.get()
        assert (runnable.kind, runnable.queue, runnable.name) == ("slurp", "compute", "j")
        assert alice.get("/async-jobs/j/").body == made.body
        assert alice.get("/async-jobs/").body["results"] == [made.body]

    def test_one_without_runs_by_hand_alone(self, alice: Caller) -> None:
        made = alice.post("/async-jobs/", {"tag": "j", "slurper": "s"})
        assert (made.status, made.body["next_run_at"], made.body["timeout"]) == (201, None, 3600)

    def test_it_names_the_collection_that_it_fills(self, alice: Caller) -> None:
        job = make_async_job(alice.application, "j")
        make_collection(alice.application, name="off", async_job=job, is_active=False)
        assert alice.get("/async-jobs/j/").body["collection"] is None
        make_collection(alice.application, name="on", async_job=job)
        assert alice.get("/async-jobs/j/").body["collection"] == "on"
        assert [row["collection"] for row in alice.get("/async-jobs/").body["results"]] == ["on"]

    def test_of_one_tag_there_is_one_in_an_application(self, alice: Caller) -> None:
        assert alice.post("/async-jobs/", DAILY).status == 201
        again = alice.post("/async-jobs/", DAILY)
        assert again.status == 409
        assert "There is an async job with the tag “j” already." in again.body["detail"]
        assert Runnable.objects.count() == 1

    def test_put_makes_it_and_then_sets_what_is_left_out_to_nothing(self, alice: Caller) -> None:
        assert alice.put("/async-jobs/j/", {**DAILY, "timeout": 60, "priority": 10}).status == 201
        changed = alice.put("/async-jobs/j/", {"slurper": "s"})
        assert changed.status == 200
        assert (changed.body["cron"], changed.body["timeout"], changed.body["priority"]) == (None, 3600, 50)

    def test_a_slurper_must_be_named(self, alice: Caller) -> None:
        assert alice.post("/async-jobs/", {"tag": "j"}).errors == {"slurper": ["Name the slurper that it runs."]}

    def test_a_slurper_of_somebody_else_is_none(self, alice: Caller, charlie: Caller) -> None:
        Slurper.objects.create(application=charlie.application, tag="theirs", name="t")
        answer = alice.post("/async-jobs/", {**DAILY, "slurper": "theirs"})
        assert answer.errors == {"slurper": ["There is no slurper “theirs” in this application."]}

    def test_all_that_is_wrong_is_said_at_once(self, alice: Caller) -> None:
        answer = alice.post("/async-jobs/", {"tag": "a/b", "slurper": "x", "timeout": 0, "overlap": "allow"})
        assert set(answer.errors) == {"tag", "slurper", "timeout", "overlap"}


@in_turn(
    "given, field, said",
    [
        ({"slurper": "x"}, "slurper", "There is no slurper “x” in this application."),
        ({"slurper": None}, "slurper", "null"),
        ({"timeout": 0}, "timeout", "Give at least 1: this is 0."),
        ({"timeout": 86_401}, "timeout", "Give at most 86,400"),
        ({"overlap": "allow"}, "overlap", "One run fills a collection at a time"),
        ({"cron": "x"}, "cron", "It needs five fields"),
        ({"catch_up": "all"}, "catch_up", "queue_all"),
        ({"retries": -1}, "retries", "Give at least 0"),
        ({"time_out": 1}, "time_out", "did you mean timeout?"),
    ],
)
def test_what_cannot_work_is_refused(alice: Caller, given: Any, field: str, said: str) -> None:
    answer = alice.post("/async-jobs/", {**DAILY, **given})
    assert answer.status == 400
    assert said in answer.errors[field][0]
    assert not AsyncJob.objects.exists()
    assert not Runnable.objects.exists()


class TestChanging:
    def test_what_is_given_changes_and_the_rest_stays(self, alice: Caller) -> None:
        alice.post("/async-jobs/", DAILY)
        AsyncJob.objects.update(remembered={"products": 7})
        changed = alice.patch("/async-jobs/j/", {"timeout": 90, "overlap": "queue_one", "retries": 1})
        assert changed.status == 200
        assert (changed.body["timeout"], changed.body["overlap"], changed.body["retries"]) == (90, "queue_one", 1)
        assert (changed.body["cron"], changed.body["remembered"]) == ("0 4 * * *", {"products": 7})

    def test_another_schedule_is_planned_anew(self, alice: Caller) -> None:
        before = alice.post("/async-jobs/", DAILY).body["next_run_at"]
        changed = alice.patch("/async-jobs/j/", {"cron": None, "preset": "hourly"})
        assert changed.body["next_run_at"] != before

    def test_it_is_never_let_to_run_beside_itself(self, alice: Caller) -> None:
        alice.post("/async-jobs/", DAILY)
        assert "overlap" in alice.patch("/async-jobs/j/", {"overlap": "allow"}).errors

    def test_it_is_paused_and_resumed(self, alice: Caller) -> None:
        alice.post("/async-jobs/", DAILY)
        paused = alice.post("/async-jobs/j/pause/", {"reason": "They move."})
        assert (paused.status, paused.body["enabled"], paused.body["pause_reason"]) == (200, False, "They move.")
        assert paused.body["next_run_at"] is None
        again = alice.post("/async-jobs/j/pause/", {"reason": "Still."})
        assert again.body["pause_reason"] == "Still."
        resumed = alice.post("/async-jobs/j/resume/")
        assert (resumed.body["enabled"], resumed.body["pause_reason"]) == (True, None)
        assert resumed.body["next_run_at"]
        assert alice.post("/async-jobs/j/resume/").status == 200

    def test_what_is_done_is_in_the_audit_log(self, alice: Caller) -> None:
        alice.post("/async-jobs/", DAILY)
        alice.patch("/async-jobs/j/", {"timeout": 90})
        alice.post("/async-jobs/j/pause/", {})
        alice.post("/async-jobs/j/resume/")
        alice.post("/async-jobs/j/run/")
        AsyncJob.objects.update(remembered={"products": 7})
        alice.post("/async-jobs/j/forget/", {})
        alice.delete("/async-jobs/j/")
        entries = AuditEntry.objects.filter(action__startswith="asyncjob.").order_by("pk")
        assert [entry.action for entry in entries] == [
            "asyncjob.create", "asyncjob.update", "asyncjob.pause", "asyncjob.resume", "asyncjob.run",
            "asyncjob.forget", "asyncjob.delete",
        ]  # fmt: skip
        assert entries[0].changes["slurper"] == [None, "s"]
        assert entries[1].changes == {"timeout_s": [3600, 90]}


class TestRunning:
    @pytest.mark.parametrize("enabled", [True, False])
    def test_it_runs_by_hand_enabled_or_not(self, alice: Caller, enabled: bool) -> None:
        alice.post("/async-jobs/", {**DAILY, "enabled": enabled})
        answer = alice.post("/async-jobs/j/run/")
        assert (answer.status, answer.body["kind"], answer.body["cause"]) == (202, "slurp", "manual")
        run = Run.objects.get()
        assert (run.input, run.queue, run.state) == (None, "compute", "queued")

    def test_a_run_is_given_values_for_its_sources(self, alice: Caller) -> None:
        alice.post("/async-jobs/", DAILY)
        alice.post("/async-jobs/j/run/", {"values": {"CATEGORY": "lamps"}})
        assert Run.objects.get().input == {"values": {"CATEGORY": "lamps"}}

    def test_a_second_run_waits_for_the_first(self, alice: Caller) -> None:
        alice.post("/async-jobs/", DAILY)
        assert [alice.post("/async-jobs/j/run/").body["held"] for _ in range(2)] == [False, True]

    def test_its_runs_say_how_many_rows_they_read_and_wrote(self, alice: Caller) -> None:
        job = make_async_job(alice.application, "j")
        output = {"collection": "prices", "version": 3, "stage": "ready", "read": 10, "written": 9, "changed": 2}
        make_run(job.runnable, State.SUCCEEDED, output=output, number=1)
        make_run(job.runnable, State.FAILED, number=2)
        failed, good = alice.get("/async-jobs/j/runs/").body["results"]
        assert {name: good[name] for name in output} == output
        assert {failed[name] for name in output} == {None}
        only = alice.get("/async-jobs/j/runs/?state=succeeded").body["results"]
        assert [run["number"] for run in only] == [1]
        assert [run["kind"] for run in alice.get("/runs/?kind=slurp").body["results"]] == ["slurp"] * 2

    def test_what_is_remembered_is_forgotten_of_one_source_or_of_all(self, alice: Caller) -> None:
        make_async_job(alice.application, "j", remembered={"a": 1, "b": 2, "c": 3})
        assert alice.post("/async-jobs/j/forget/", {"sources": ["b"]}).body["remembered"] == {"a": 1, "c": 3}
        unknown = alice.post("/async-jobs/j/forget/", {"sources": ["x"]})
        assert unknown.errors == {"sources": ["Nothing is remembered of the source “x”."]}
        assert alice.post("/async-jobs/j/forget/", {}).body["remembered"] == {}


class TestDeleting:
    def test_its_runs_and_collections_go_with_it_and_its_slurper_stays(self, alice: Caller) -> None:
        job = make_async_job(alice.application, "j")
        collection = make_collection(alice.application, async_job=job)
        load(collection, [{"id": 1}])
        make_run(job.runnable, State.RUNNING)
        assert alice.delete("/async-jobs/j/").status == 204
        assert (AsyncJob.objects.count(), Collection.objects.count(), Version.objects.count()) == (0, 0, 0)
        assert (Runnable.objects.count(), Run.objects.count()) == (0, 0)
        assert Slurper.objects.filter(pk=job.slurper_id).exists()
        assert alice.get("/async-jobs/j/").status == 404

    def test_it_takes_as_many_statements_however_many_rows_it_has(
        self, alice: Caller, django_assert_max_num_queries: Any
    ) -> None:
        job = make_async_job(alice.application, "j")
        load(make_collection(alice.application, async_job=job), [{"id": n} for n in range(5_000)])
        with django_assert_max_num_queries(45):
            assert alice.delete("/async-jobs/j/").status == 204
        # Nobody waited for them: a tick deletes them.
        assert Row.objects.count() == 5_000

    def test_an_application_is_deleted_with_slurpers_that_its_jobs_use(self, alice: Caller) -> None:
        make_async_job(alice.application, "j")
        alice.application.delete()
        assert not AsyncJob.objects.exists()
        assert not Slurper.objects.exists()


class TestLists:
    @pytest.mark.parametrize(
        ("query", "tags"),
        [("", ["b", "a"]), ("?search=A", ["a"]), ("?slurper=b", ["b"]), ("?enabled=false", ["b"])],
    )
    def test_are_narrowed(self, alice: Caller, query: str, tags: list[str]) -> None:
        make_async_job(alice.application, "a")
        make_async_job(alice.application, "b")
        Runnable.objects.filter(name="b").update(enabled=False, paused_at=NOW)
        assert [row["tag"] for row in alice.get(f"/async-jobs/{query}").body["results"]] == tags

    def test_are_read_in_as_many_queries_however_long(self, alice: Caller, django_assert_max_num_queries: Any) -> None:
        for number in range(5):
            make_collection(
                alice.application, name=f"c{number}", async_job=make_async_job(alice.application, f"j{number}")
            )
        with django_assert_max_num_queries(6):
            assert len(alice.get("/async-jobs/").body["results"]) == 5
