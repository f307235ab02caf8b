"""The definitions that come with Badger Jobs."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.models import Application
from tasks.background.definitions import REGISTRY, definition_of
from tasks.background.outputs import MOST_BYTES
from tasks.background.shipped import SHIPPED, bulk_replay, resync_keys
from tasks.models import CacheKey, SyncState
from tests.callers import Caller
from tests.factories import (
    NOW,
    make_application,
    make_background_run,
    make_connection,
    make_event,
    make_hook,
    make_job,
    make_key,
    make_run,
    make_runnable,
    make_source,
    make_sync,
    make_task,
)  # fmt: skip
from tests.tasks.background.pages_of import definition
from tests.tasks.background.shipped.iterating import Iterations

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", SHIPPED)
def test_each_row_of_the_table_defines_the_task_that_it_names(name: str) -> None:
    found = definition_of(name)
    assert found
    assert found.where.startswith(f"{SHIPPED[name]}.")
    assert not found.is_private
    assert not [one for one in REGISTRY.problems if "shipped" in one]


def test_the_testing_run_is_done_as_it_says(shop: Application) -> None:
    assert Iterations(shop, "testingRun").next().message == "Task successfully finished."


def test_all_keys_of_a_source_are_fetched_batch_by_batch(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resync_keys, "BATCH", 2)
    source, other = make_source(shop), make_source(shop, "another")
    keys = [make_key(source, f"product-{n}") for n in range(3)]
    make_key(other, "other")
    task = Iterations(shop, "resyncKeys", {"source": "a-source"})

    assert task.next().word == "continue"
    first = Run.objects.get(kind="refresh")
    assert first.input == {"keys": [keys[0].pk, keys[1].pk]}
    waited = [task.next().wait_s, task.next().wait_s]
    assert waited == [1, 2]
    assert Run.objects.filter(kind="refresh").count() == 1
    make_sync(first, keys[0])
    make_sync(first, keys[1], SyncState.FAILED)
    Run.objects.filter(pk=first.pk).update(state=State.SUCCEEDED)
    task.next()
    assert Run.objects.filter(kind="refresh").latest("id").input == {"key": keys[2].pk}
    Run.objects.filter(kind="refresh").update(state=State.SUCCEEDED)

    done = task.to_the_end()

    assert (done.word, done.message) == ("done", "1 of 3 keys were fetched, 1 failed.")
    assert task.output == {"asked": 3, "fetched": 1, "failed": 1, "runs": 2}
    assert task.link.steps[-1] == (1, "3 keys")


def test_an_iteration_that_is_made_again_asks_for_no_key_twice(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resync_keys, "BATCH", 2)
    source = make_source(shop)
    ids = [make_key(source, f"product-{n}").pk for n in range(4)]
    task = Iterations(shop, "resyncKeys", {"source": "a-source"})

    task.again()
    CacheKey.objects.filter(pk=ids[1]).delete()  # meanwhile; the third is not in the first batch all the same
    assert task.next().input["at"]["key"] == ids[1]
    first = Run.objects.get(kind="refresh")
    Run.objects.filter(pk=first.pk).update(state=State.SUCCEEDED)
    task.again()
    task.next()
    [_, second] = Run.objects.filter(kind="refresh").order_by("id")
    assert second.input == {"keys": ids[2:]}
    Run.objects.filter(kind="refresh").update(state=State.SUCCEEDED)
    task.again()
    assert task.to_the_end().output["asked"] == 4
    assert Run.objects.filter(kind="refresh").count() == 2


def test_a_source_of_another_application_is_none(shop: Application) -> None:
    make_source(make_application("Charlie's"), "theirs")
    came = Iterations(shop, "resyncKeys", {"source": "theirs"}).next()
    assert (came.word, came.message) == ("error", "There is no source with the tag “theirs” in this application.")


@pytest.mark.parametrize("source", ["no-such", "theirs", 7])
def test_a_source_that_is_not_there_is_refused_before_there_is_a_run(alice: Caller, source: Any) -> None:
    make_source(make_application("Charlie's"), "theirs")
    make_source(alice.application, "mine")
    asked: list[Any] = [source, "mine", []]
    answer, mine, none = (
        alice.post("/background-tasks/", {"definition": "resyncKeys", "input": {"source": one}}) for one in asked
    )
    assert (answer.status, answer.errors) == (
        400, {"input.source": [f"There is no source with the tag “{source}” in this application."]}
    )  # fmt: skip
    assert (mine.status, none.errors) == (201, {"input.source": ["Give a string."]})
    assert Run.objects.count() == 1


def failed_runs(application: Application, many: int) -> list[Any]:
    runnable = make_runnable(application)
    return [make_run(runnable, State.FAILED, id=id_at(NOW - timedelta(seconds=n + 1))).pk for n in range(many)]


_numbers = count(1)


def id_at(moment: datetime) -> UUID:
    return UUID(int=uuid7_floor(moment).int + next(_numbers))


def replayed() -> list[Any]:
    return list(Run.objects.filter(replay_of__isnull=False).order_by("id").values_list("replay_of", flat=True))


def test_what_failed_is_replayed_in_batches_once(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_replay, "BATCH", 2)
    failed_runs(make_application("Charlie's"), 1)
    ids = failed_runs(shop, 5)
    make_background_run(shop, State.FAILED, definition="bulkReplay", created_at=NOW - timedelta(hours=1))
    task = Iterations(shop, "bulkReplay")

    task.next()
    task.again()  # its worker died before it was told: these are replayed already
    done = task.to_the_end()

    assert (done.message, task.output["total"]) == ("5 runs replayed.", 5)
    assert replayed() == sorted(ids)


def test_no_more_are_replayed_in_a_minute_than_is_said(shop: Application) -> None:
    failed_runs(shop, 5)
    task = Iterations(shop, "bulkReplay", {"per_minute": 2})
    assert task.next().wait_s == 60
    assert len(replayed()) == 2


def test_what_began_after_the_task_is_not_meant(shop: Application) -> None:
    make_run(make_runnable(shop), State.FAILED, id=id_at(NOW + timedelta(hours=1)))
    assert Iterations(shop, "bulkReplay").next().message == "0 runs replayed."


@pytest.mark.parametrize(
    ("name", "found"), [("boom", "ab"), ("Boom", "ab"), ("Other", "c"), ("By hand", "b"), ("nightly", "j"), ("bo", "")]
)
def test_a_name_means_jobs_and_background_tasks(shop: Application, name: str, found: str) -> None:
    before = {"created_at": NOW - timedelta(hours=1)}
    mine = [definition("boom", title="Boom"), definition("other", title="Other")]
    with patch.dict(REGISTRY.by_id, {one.id: one for one in mine}):
        runs = {
            letter: make_background_run(shop, State.FAILED, definition=its, name=called, **before).pk
            for letter, its, called in [("a", "boom", "Boom"), ("b", "boom", "By hand"), ("c", "other", "Other")]
        }
        make_background_run(make_application("Charlie's"), State.FAILED, definition="boom", name="Boom", **before)
        job = make_job(shop, "nightly")
        runs["j"] = make_run(job.runnable, State.FAILED, id=id_at(NOW - timedelta(hours=2))).pk
        Iterations(shop, "bulkReplay", {"name": name}).to_the_end()
    assert set(replayed()) == {runs[letter] for letter in found}


def one_of_each(shop: Application) -> None:
    make_connection(shop)
    make_event(shop)
    make_job(shop, headers={"Authorization": "Bearer unmistakable"})
    key = make_key(make_source(shop), "product-1", '"a value"')
    task = make_task(shop, selection="exact", pattern="")
    task.keys.add(key)
    make_hook(shop)
    make_job(make_application("Charlie's"), "theirs")


def test_one_of_each_sort_is_exported_without_secrets(shop: Application) -> None:
    one_of_each(shop)
    task = Iterations(shop, "exportWorkspace")

    assert task.next().message == "Exported."

    items = task.output["items"]
    assert list(task.output["counts"].values()) == [1] * 7
    assert [items[sort][0]["tag"] for sort in ("connections", "events", "jobs", "sources", "tasks", "hooks")] == [
        "a-database", "an-event", "a-job", "a-source", "a-task", "a-hook",
    ]  # fmt: skip
    assert items["keys"][0]["name"] == "product-1"
    assert items["tasks"][0]["keys"] == ["product-1"]
    for secret in ("unmistakable", "a value", "/in/", "theirs"):
        assert secret not in str(task.output)


def test_many_tasks_of_exact_keys_are_exported_in_as_many_statements_as_one(shop: Application) -> None:
    key = make_key(make_source(shop), "product-1")
    counts = []
    for n in range(3):
        make_task(shop, f"task-{n}", selection="exact", pattern="", keys=[key])
        task = Iterations(shop, "exportWorkspace")
        with CaptureQueriesContext(connection) as queries:
            task.next()
        counts.append(len(queries))

    assert counts == [counts[0]] * 3
    assert [one["keys"] for one in task.output["items"]["tasks"]] == [["product-1"]] * 3


def test_what_is_too_long_for_one_output_is_in_those_of_children(shop: Application) -> None:
    for n in range(7):
        make_job(shop, f"job-{n}", body="x" * 60_000)
    make_job(shop, "too-long", body="x" * MOST_BYTES)
    task = Iterations(shop, "exportWorkspace")

    assert task.next().message == "Exported in 3 parts."

    parts = [given for _, given, _ in task.link.made]
    assert [[job["tag"] for job in part["items"]["jobs"]] for part in parts] == [
        ["job-0", "job-1", "job-2"], ["job-3", "job-4", "job-5"], ["job-6"],
    ]  # fmt: skip
    assert next(name for _, _, name in task.link.made) == "Export the workspace, 1"
    assert task.output["left_out"][0].startswith("jobs: too-long has 238,")
    part = Iterations(shop, "exportWorkspacePart", parts[0])
    assert part.next().output["items"] == parts[0]["items"]
    assert part.given == {"number": 1}
