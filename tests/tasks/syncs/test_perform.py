"""A run of a task: which keys it fetches, what is written of each, and how it ends."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.runs import fleet
from badgerjobs.runs.models import LogLine, Run
from badgerjobs.runs.outcomes import Done, Failed, Later
from badgerjobs.workspaces.models import Application
from tasks.models import CachedValue, CacheKey, KeySync, Selection
from tasks.syncs import beginning
from tests.factories import NOW, make_application, make_key, make_task
from tests.tasks.syncs.stages import (
    Found,
    Sources,
    begun,
    fetched,
    make_keys,
    performed,
    unfetched,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_key_that_the_task_means_is_fetched_once_and_has_a_row(shop: Application, sources: Sources) -> None:
    make_keys(shop, 3, body='"old"')
    other = make_key(CacheKey.objects.first().source, "price-1", variables={"PRODUCT_ID": "9"})  # type: ignore[union-attr]
    task = make_task(shop)
    run = begun(task)

    outcome = performed(run, task)

    counted = {"keys": 3, "succeeded": 3, "failed": 0, "changed": 3, "bytes": 15}
    assert outcome == Done(counted, output=counted)
    assert sources.asked == ["1", "2", "3"]
    rows = KeySync.objects.filter(run=run).order_by("id")
    found = rows.values_list("key_name", "state", "attempts", "runnable_id", "bytes", "changed", "status")
    assert list(found) == [(f"product-000{n}", "succeeded", 1, task.runnable_id, 5, True, 200) for n in (1, 2, 3)]
    assert set(CachedValue.objects.exclude(key=other).values_list("body", "error")) == {('"new"', "")}
    assert LogLine.objects.get(run=run).message == "3 keys contain “product”."


def test_a_value_that_is_the_same_has_not_changed(shop: Application, sources: Sources) -> None:
    make_keys(shop, 1, body='"new"')
    before = CachedValue.objects.get()
    task = make_task(shop)

    assert performed(begun(task), task).output["changed"] == 0  # type: ignore[union-attr]

    after = CachedValue.objects.get()
    assert (after.changed_at, KeySync.objects.get().changed) == (before.changed_at, False)
    assert after.fetched_at > before.fetched_at  # type: ignore[operator]


def test_exact_keys_are_those_that_are_named(shop: Application, sources: Sources) -> None:
    keys = make_keys(shop, 4)
    task = make_task(shop, selection=Selection.EXACT, pattern="", keys=keys[1:3])

    performed(begun(task), task)

    assert sources.asked == ["2", "3"]
    assert LogLine.objects.get().message == "The task names 2 keys."


def test_no_key_is_a_success_that_says_so(shop: Application, sources: Sources) -> None:
    task = make_task(shop, pattern="nothing")
    run = begun(task)

    outcome = performed(run, task)

    nothing = {"keys": 0, "succeeded": 0, "failed": 0, "changed": 0, "bytes": 0}
    assert outcome == Done(nothing, output=nothing)
    assert LogLine.objects.get(run=run).message == "No key contains “nothing”: nothing is fetched."


def test_variables_that_a_hook_has_read_fill_the_pattern_and_the_transform_is_not_asked(
    shop: Application, sources: Sources
) -> None:
    make_keys(shop, 12)
    task = make_task(shop, type="webhook", pattern="000{{DIGIT}}", transform="throw new Error('asked')")
    run = begun(task, input={"variables": {"DIGIT": "7"}})

    outcome = performed(run, task)

    assert isinstance(outcome, Done), outcome
    assert sources.asked == ["7"]
    assert LogLine.objects.get(run=run).message == "1 key contains “0007”."


def test_a_variable_that_a_hook_did_not_read_fails_the_run(shop: Application, sources: Sources) -> None:
    task = make_task(shop, type="webhook", pattern="{{DIGIT}}", transform="return {variables: {DIGIT: 1}}")

    outcome = performed(begun(task, input={"variables": {}}), task)

    assert isinstance(outcome, Failed)
    assert (outcome.error_class, outcome.error) == ("pattern", "DIGIT is not among the variables: there are none.")


def test_another_tenants_keys_are_not_among_them(shop: Application, sources: Sources) -> None:
    make_keys(make_application("Charlie's"), 2)
    task = make_task(shop)

    assert performed(begun(task), task).output["keys"] == 0  # type: ignore[union-attr]


def test_more_keys_than_a_run_may_have_are_refused_and_none_is_fetched(
    shop: Application, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beginning, "MOST_KEYS", 3)
    make_keys(shop, 4)
    task = make_task(shop)

    outcome = performed(begun(task), task)

    assert isinstance(outcome, Failed)
    assert (outcome.error_class, outcome.retry, sources.asked) == ("too_many", False, [])
    assert not KeySync.objects.exists()


def failing(*ids: str, **fields: Any) -> Any:
    def answer(values: Mapping[str, Any], nth: int) -> Found:
        return unfetched(**fields) if values["PRODUCT_ID"] in ids else fetched()

    return answer


def test_a_key_that_fails_for_good_fails_the_run_in_part(shop: Application, sources: Sources) -> None:
    make_keys(shop, 3, body='"old"')
    sources.answer = failing("2", retry=False)
    task = make_task(shop)
    run = begun(task)

    outcome = performed(run, task)

    counted = {"keys": 3, "succeeded": 2, "failed": 1, "changed": 2, "bytes": 10}
    assert outcome == Failed("keys", "1 of 3 keys failed.", counted, retry=False, output=counted, in_part=True)
    bad = KeySync.objects.get(state="failed")
    assert (bad.key_name, bad.error, bad.status) == ("product-0002", "The source answered 503.", 503)
    value = CachedValue.objects.get(key_id=bad.key_id)
    assert (value.body, value.error_class, value.error) == ('"old"', "status", "The source answered 503.")
    assert value.tried_at > value.fetched_at  # type: ignore[operator]


def test_how_long_a_value_took_stays_when_a_later_try_fails(shop: Application, sources: Sources) -> None:
    make_keys(shop, 1, body='"old"')
    CachedValue.objects.update(duration_ms=12)
    sources.answer = lambda _values, _nth: unfetched(retry=False, duration_ms=900)
    task = make_task(shop)

    performed(begun(task), task)

    assert (CachedValue.objects.get().duration_ms, KeySync.objects.get().duration_ms) == (12, 900)


@pytest.mark.usefixtures("still")
def test_a_key_that_may_be_tried_again_waits_alone_and_the_run_without_a_slot(
    shop: Application, sources: Sources
) -> None:
    make_keys(shop, 3)
    sources.answer = failing("2")
    task = make_task(shop)
    run = begun(task)

    outcome = performed(run, task)

    assert isinstance(outcome, Later)
    assert outcome.is_begun
    assert 10 <= outcome.seconds <= 11  # with its jitter
    assert list(KeySync.objects.order_by("id").values_list("state", "attempts")) == [
        ("succeeded", 1), ("waiting", 1), ("succeeded", 1)
    ]  # fmt: skip
    waiting = KeySync.objects.get(state="waiting")
    assert waiting.due_at == NOW + timedelta(seconds=outcome.seconds)


def due_now(run: Run) -> None:
    KeySync.objects.filter(run=run, state="waiting").update(due_at=fleet.database_now())


def test_it_goes_on_where_it_stands_until_every_key_is_over(shop: Application, sources: Sources) -> None:
    make_keys(shop, 3)
    sources.answer = lambda values, nth: unfetched() if values["PRODUCT_ID"] == "2" and nth < 3 else fetched()
    task = make_task(shop)
    run = begun(task)
    for _ in range(2):
        assert isinstance(performed(run, task), Later)
        due_now(run)

    outcome = performed(run, task)

    assert isinstance(outcome, Done)
    assert (outcome.output["keys"], outcome.began_at) == (3, run.started_at)
    assert sources.asked == ["1", "2", "3", "2", "2"]
    assert KeySync.objects.get(key_name="product-0002").attempts == 3


def test_after_the_retries_of_its_policy_a_key_has_failed(shop: Application, sources: Sources) -> None:
    make_keys(shop, 1)
    sources.answer = lambda _values, _nth: unfetched()
    task = make_task(shop)
    run = begun(task)
    outcomes = []
    for _ in range(4):
        outcomes.append(performed(run, task))
        due_now(run)

    assert [type(outcome) for outcome in outcomes] == [Later, Later, Later, Failed]
    assert KeySync.objects.get().attempts == 4


@pytest.mark.usefixtures("still")
def test_how_long_a_source_wants_to_be_left_alone_is_kept_to(shop: Application, sources: Sources) -> None:
    make_keys(shop, 1)
    sources.answer = lambda _values, _nth: unfetched(retry_after=timedelta(minutes=5))
    task = make_task(shop)

    outcome = performed(begun(task), task)

    assert isinstance(outcome, Later)
    assert 300 <= outcome.seconds <= 330


def test_a_key_for_which_there_is_no_room_waits_without_an_attempt(shop: Application, sources: Sources) -> None:
    make_keys(shop, 2)
    sources.answer = lambda values, _nth: Later(60) if values["PRODUCT_ID"] == "1" else fetched()
    task = make_task(shop)

    outcome = performed(begun(task), task)

    assert isinstance(outcome, Later)
    put_off = KeySync.objects.get(key_name="product-0001")
    assert (put_off.state, put_off.attempts, put_off.started_at) == ("waiting", 0, None)


def test_a_bug_fails_one_key_and_no_other(
    shop: Application, sources: Sources, caplog: pytest.LogCaptureFixture
) -> None:
    make_keys(shop, 3)

    def answer(values: Mapping[str, Any], nth: int) -> Found:
        if values["PRODUCT_ID"] == "2":
            raise ZeroDivisionError("secret detail")
        return fetched()

    sources.answer = answer
    task = make_task(shop)

    assert isinstance(performed(begun(task), task), Later)

    bad = KeySync.objects.get(state="waiting")
    assert (bad.error_class, bad.attempts) == ("internal", 1)
    assert "secret detail" not in bad.error
    assert "secret detail" in caplog.text


def test_a_value_that_cannot_be_stored_fails_its_key_and_no_other(
    shop: Application, sources: Sources, caplog: pytest.LogCaptureFixture
) -> None:
    make_keys(shop, 5)
    sources.answer = lambda values, _nth: fetched("\0") if values["PRODUCT_ID"] == "3" else fetched()
    task = make_task(shop)

    outcome = performed(begun(task), task)

    assert isinstance(outcome, Failed)
    assert outcome.error == "1 of 5 keys failed."
    assert KeySync.objects.get(state="failed").error_class == "protocol"


def test_a_key_that_is_deleted_before_its_turn_is_none_of_the_runs(shop: Application, sources: Sources) -> None:
    keys = make_keys(shop, 3)
    task = make_task(shop)
    run = begun(task)
    sources.answer = lambda _values, _nth: Later(60)
    assert isinstance(performed(run, task), Later)
    keys[1].delete()
    due_now(run)
    sources.answer = lambda _values, _nth: fetched()

    assert performed(run, task).output["keys"] == 2  # type: ignore[union-attr]
