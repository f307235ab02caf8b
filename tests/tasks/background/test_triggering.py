"""Triggering background tasks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers

from badgerjobs.runs.models import Run, State
from badgerjobs.runs.processes.beside import Beside
from badgerjobs.runs.processes.pipe import Work
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from tasks.background import background_task, reading, services
from tasks.background.errors import BackgroundTaskError
from tasks.background.link import DatabaseLink
from tasks.background.preparing import Asked, Parent
from tasks.models import BackgroundRun
from tests.factories import NOW, make_application, make_background_run
from tests.runs.together import together, waiting
from tests.tasks.background.defined import define, define_private

pytestmark = pytest.mark.usefixtures("registry")

DAY = 24 * 3600


class Articles(serializers.Serializer[Any]):
    rows = serializers.IntegerField(default=7)


def trigger(shop: Application, definition: Any = "syncArticles", *given: Any, **fields: Any) -> Any:
    return services.trigger(shop, definition, *given, now=NOW, **fields)


def refusal(shop: Application, *given: Any, **fields: Any) -> BackgroundTaskError:
    with pytest.raises(BackgroundTaskError) as refused:
        trigger(shop, *given, **fields)
    return refused.value


def test_a_triggered_task_is_a_queued_run_with_a_row(shop: Application) -> None:
    define()
    task = trigger(shop)
    run = Run.objects.get()
    assert (run.pk, run.kind, run.queue, run.state, run.cause) == (task.id, "background", "compute", "queued", "code")
    assert (task.name, task.definition_id, task.status, task.input) == ("Sync articles", "syncArticles", "pending", {})
    assert (task.iterations, task.parent_id, task.started_at, task.created_at) == (0, None, None, NOW)
    assert (run.due_at, run.created_at, run.application) == (NOW, NOW, shop)
    row = BackgroundRun.objects.get()
    assert (row.run_id, row.given, row.application) == (task.id, {}, shop)


def test_what_is_returned_is_what_is_read_afterwards(shop: Application) -> None:
    define(input=Articles)
    task = trigger(shop, "syncArticles", {"rows": "12"}, name=" One ", delay=5, by=OPERATOR)
    assert reading.get(shop, task.id) == task
    assert (task.name, task.input, task.created_by["displayName"]) == ("One", {"rows": 12}, "operator")


def test_an_unknown_definition_is_refused(shop: Application) -> None:
    assert refusal(shop, "nothing").code == "TASK_DEFINITION_ERROR"
    assert not Run.objects.exists()


def test_a_private_definition_is_for_code_alone(shop: Application) -> None:
    define_private()
    assert refusal(shop, "secret", public_only=True).code == "TASK_DEFINITION_ERROR"
    assert refusal(shop, "secret", public_only=True).message == refusal(shop, "secreT").message.replace(
        "secreT", "secret"
    )
    assert trigger(shop, "secret").definition_id == "secret"


def test_a_definition_is_named_by_what_was_decorated(shop: Application) -> None:
    @background_task(id="resync", title="Resync")
    def resync(params: Any) -> None: ...

    assert trigger(shop, resync).definition_id == "resync"
    assert refusal(shop, 7).code == "TASK_DEFINITION_ERROR"


def test_the_hook_comes_first_and_then_the_delay_and_then_the_input(shop: Application) -> None:
    seen: list[Any] = []

    def before(context: Any, given: Any) -> None:
        seen.append((context.application.name, dict(given)))
        given["rows"] = "changed"
        if given.get("stop"):
            raise LookupError("There is one already.")

    define(input=Articles, on_before_trigger=before)
    refused = refusal(shop, "syncArticles", {"rows": "x", "stop": True}, delay=-1)
    assert (refused.code, refused.message) == ("TASK_TRIGGER_ERROR", "There is one already.")
    assert refusal(shop, "syncArticles", {"rows": "x"}, delay=400 * DAY).code == "MAX_DELAY_ERROR"
    refused = refusal(shop, "syncArticles", {"rows": "x"})
    assert refused.code == "VALIDATION_FAILED_INVALID_FIELDS"
    assert refused.data["invalidFields"]["rows"]["message"] == "Give a whole number."
    assert len(seen) == 3
    assert not BackgroundRun.objects.exists()
    assert not Run.objects.exists()
    assert trigger(shop, "syncArticles", {"rows": 3}).input == {"rows": 3}


def test_what_a_hook_raises_keeps_its_code_and_what_it_wrote_is_gone(shop: Application) -> None:
    class BusyError(Exception):
        code = "BUSY"
        data = {"by": 7}

    async def before(context: Any, given: Any) -> None:
        raise BusyError("Busy.")

    def writes(context: Any, given: Any) -> None:
        Application.objects.filter(pk=shop.pk).update(name="changed")
        raise BusyError("Busy.")

    define(on_before_trigger=before)
    refused = refusal(shop)
    assert (refused.code, refused.message, refused.data) == ("BUSY", "Busy.", {"by": 7})
    define(id="writes", on_before_trigger=writes)
    assert refusal(shop, "writes").code == "BUSY"
    shop.refresh_from_db()
    assert shop.name == "shop"


@pytest.mark.parametrize(
    "delay", [355 * DAY, 355 * DAY + 0.5, 10**400, float("inf")], ids=["days", "more", "huge", "inf"]
)
def test_the_longest_delay_is_below_355_days(shop: Application, delay: float) -> None:
    define()
    refused = refusal(shop, delay=delay)
    assert (refused.code, refused.message) == ("MAX_DELAY_ERROR", "The maximum delay for a task is 355 days.")
    assert trigger(shop, delay=355 * DAY - 1).due_at == NOW + timedelta(days=355, seconds=-1)


@pytest.mark.parametrize("delay", [-1, 0.5, float("nan"), True, "5", None, float("-inf")])
def test_a_delay_that_is_no_whole_number_of_seconds_is_refused(shop: Application, delay: Any) -> None:
    define()
    refused = refusal(shop, delay=delay)
    assert refused.code == "VALIDATION_FAILED_INVALID_FIELDS"
    assert refused.message == "The delay must be a whole number of seconds, 0 or more."


def test_a_delayed_task_waits_and_is_pending(shop: Application) -> None:
    define()
    task = trigger(shop, delay=60.0)
    run = Run.objects.get()
    assert (run.state, run.due_at, run.iteration, task.status) == (
        "scheduled",
        NOW + timedelta(minutes=1),
        1,
        "pending",
    )


@pytest.mark.parametrize("given", [[1], "x", {"a": {1, 2}}, {"a": float("nan")}], ids=["list", "text", "set", "nan"])
def test_an_input_that_is_no_object_of_json_is_refused(shop: Application, given: Any) -> None:
    define()
    assert refusal(shop, "syncArticles", given).code == "VALIDATION_FAILED_INVALID_FIELDS"


@pytest.mark.django_db(transaction=True)
def test_the_task_is_there_exactly_if_the_transaction_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[str] = []
    monkeypatch.setattr("badgerjobs.runs.worker.ring", rung.append)
    shop = make_application()
    define()
    with transaction.atomic():
        trigger(shop)
        transaction.set_rollback(True)
    assert (Run.objects.count(), BackgroundRun.objects.count(), rung) == (0, 0, [])
    with transaction.atomic():
        trigger(shop)
        assert rung == []
    assert (Run.objects.count(), rung) == (1, ["compute"])
    trigger(shop, delay=60)
    assert rung == ["compute"]


def test_one_with_the_same_key_is_given_back_until_it_is_over(shop: Application) -> None:
    define(input=Articles, deduplicate=lambda given: f"rows {given['rows']}")
    first = trigger(shop)
    again = trigger(shop, "syncArticles", {"rows": 7})
    assert (again.id, again.was_there, first.was_there) == (first.id, True, False)
    assert trigger(shop, "syncArticles", {"rows": 8}).id != first.id
    assert trigger(make_application("Charlie's")).id != first.id
    services.abort(shop, first.id, now=NOW)
    assert trigger(shop).id != first.id


def test_keys_may_be_long_and_none(shop: Application) -> None:
    define(deduplicate=lambda given: given.get("key"))
    long = {"key": "x" * 5000}
    assert trigger(shop, "syncArticles", long).id == trigger(shop, "syncArticles", long).id
    assert trigger(shop).id != trigger(shop).id


def test_a_key_that_cannot_be_told_refuses(shop: Application) -> None:
    define(deduplicate=lambda given: given["missing"])
    assert refusal(shop).code == "TASK_TRIGGER_ERROR"


def test_a_child_is_not_made_twice_at_one_place(shop: Application) -> None:
    asked: list[Any] = []

    def before(context: Any, given: Any) -> None:
        asked.append(given)

    define(on_before_trigger=before)
    parent = make_background_run(shop, State.RUNNING, created_by={"id": "7", "displayName": "Ann", "type": "admin"})
    child = trigger(shop, parent=parent.pk, parent_iteration=1, parent_place=1)
    again = trigger(shop, parent=parent.pk, parent_iteration=1, parent_place=1)
    other = trigger(shop, parent=parent.pk, parent_iteration=1, parent_place=2)
    assert (again.id, again.was_there, len(asked)) == (child.id, True, 2)
    assert other.id != child.id
    assert (child.parent_id, child.created_by["displayName"]) == (parent.pk, "Ann")


def test_a_child_of_another_application_is_impossible(shop: Application) -> None:
    define()
    stranger = make_background_run(make_application("Charlie's"), State.RUNNING)
    assert refusal(shop, parent=stranger.pk).code == "TASK_NOT_FOUND"
    assert refusal(shop, parent=uuid4()).code == "TASK_NOT_FOUND"


def test_what_was_aborted_triggers_no_children(shop: Application) -> None:
    define()
    parent = make_background_run(shop, State.ABORTED)
    assert refusal(shop, parent=parent.pk).code == "TASK_TRIGGER_ERROR"


def test_many_are_triggered_in_as_many_statements_as_one(shop: Application) -> None:
    define(deduplicate=lambda given: given.get("key"))
    parent = make_background_run(shop, State.RUNNING)

    def asked(count: int, prefix: str) -> list[Asked]:
        return [
            Asked(definition="syncArticles", input={"key": f"{prefix}{nth}"}, parent=Parent(parent.pk, 1, nth + count))
            for nth in range(count)
        ]

    counts = []
    for prefix, count in (("a", 1), ("b", 50)):
        with CaptureQueriesContext(connection) as queries:
            made = services.trigger_all(shop, asked(count, prefix), now=NOW)
        assert len({one.id for one in made if not isinstance(one, BackgroundTaskError)}) == count
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_of_many_each_has_its_own_answer(shop: Application) -> None:
    define(deduplicate=lambda given: given.get("key"))
    same = {"key": "same"}
    first, unknown, again, bad = services.trigger_all(
        shop,
        [
            Asked(definition="syncArticles", input=same),
            Asked(definition="nothing"),
            Asked(definition="syncArticles", input=same),
            Asked(definition="syncArticles", delay=-1),
        ],
        now=NOW,
    )
    assert not isinstance(first, BackgroundTaskError)
    assert not isinstance(again, BackgroundTaskError)
    assert (first.id, first.was_there, again.was_there) == (again.id, False, True)
    assert isinstance(unknown, BackgroundTaskError)
    assert isinstance(bad, BackgroundTaskError)


def test_a_place_that_has_a_child_of_another_definition_is_refused(shop: Application) -> None:
    define()
    define(id="other", title="Other")
    parent = make_background_run(shop, State.RUNNING)
    place = {"parent": parent.pk, "parent_iteration": 1, "parent_place": 1}
    child = trigger(shop, **place)
    assert trigger(shop, **place).id == child.id
    refused = refusal(shop, "other", **place)
    assert (refused.code, refused.data) == ("TASK_TRIGGER_ERROR", {"id": str(child.id), "definition": "other"})


@pytest.mark.django_db(transaction=True)
def test_two_that_trigger_the_same_keys_in_another_order_wait_for_each_other_in_no_ring() -> None:
    shop = make_application()
    define(deduplicate=lambda given: given["key"])

    def trigger_keys(*keys: str) -> list[Any]:
        asked = [Asked(definition="syncArticles", input={"key": key}) for key in keys]
        return services.trigger_all(shop, asked, now=NOW)

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            [first] = trigger_keys("a")
            theirs = waiting(threads, lambda: trigger_keys("b", "a"))
            [second] = trigger_keys("b")
        assert [(one.id, one.was_there) for one in theirs.result()] == [(second.id, True), (first.id, True)]


@pytest.mark.django_db(transaction=True)
def test_while_a_hook_is_asked_the_parent_can_be_aborted_and_then_it_has_no_more_children() -> None:
    shop = make_application()
    parent = make_background_run(shop, State.RUNNING)

    def abort() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        return services.abort(shop, parent.pk, now=NOW)

    def before(context: Any, given: Any) -> None:
        together(abort)

    define(on_before_trigger=before)
    refused = refusal(shop, parent=parent.pk)
    assert refused.message == "The task was aborted: it can trigger no children any more."
    assert list(BackgroundRun.objects.all()) == [parent]


@pytest.mark.django_db(transaction=True)
def test_while_code_is_in_a_transaction_its_run_can_be_aborted_and_then_its_child_is_aborted_too() -> None:
    shop = make_application()
    define()
    parent = make_background_run(shop, State.RUNNING)
    work = Work(parent.pk, shop.pk, "syncArticles", "x", {}, None, iteration=1, attempt=1, timeout_s=9)
    beside = Beside()
    link = DatabaseLink(work, beside, Event(), application=shop, keeps_info=True)

    def abort() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        return services.abort(shop, parent.pk, now=NOW)

    with transaction.atomic():
        child = link.trigger("syncArticles", {}, name="", delay=0)
        [aborted] = together(abort)
    beside.ask(lambda: connection.close())  # noqa: PLW0108  that of its own thread
    assert (aborted.status, reading.get(shop, child.id).status) == ("aborted", "aborted")
    assert reading.get(shop, child.id).error == "The task that triggered it was aborted."


@pytest.mark.parametrize("raised", [SystemExit(1), KeyboardInterrupt()], ids=["exit", "interrupt"])
def test_code_that_would_end_the_process_refuses_and_ends_nothing(shop: Application, raised: BaseException) -> None:
    def end(*_: Any) -> Any:
        raise raised

    define(id="before", on_before_trigger=end)
    define(id="keyed", deduplicate=end)
    for definition in ("before", "keyed"):
        with pytest.raises(BackgroundTaskError, match=type(raised).__name__):
            trigger(shop, definition)
    assert not Run.objects.exists()
