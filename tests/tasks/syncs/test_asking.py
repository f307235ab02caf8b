"""Keys that are fetched by themselves: when somebody asks, and when readers do, of whom one is heard."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from badgerjobs.runs.models import Cause, Run, State
from badgerjobs.runs.outcomes import Done, Failed, Later, Outcome
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, AuditEntry
from tasks.models import CachedValue, CacheKey, KeySync
from tasks.syncs import perform
from tasks.syncs.asking import REFRESH_AGAIN_S, ask, refresh_key, refresh_keys
from tasks.syncs.means import open_means
from tests.factories import NOW, make_application, make_run, make_runnable, make_sync
from tests.runs.claims import ME, claimed
from tests.runs.together import together
from tests.tasks.syncs.stages import Sources, make_keys, unfetched

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def key(shop: Application) -> CacheKey:
    return make_keys(shop, 1, body='"old"')[0]


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def taken(run: Run) -> Any:
    """The run in this worker's hands."""
    Run.objects.filter(pk=run.pk).update(state=State.RUNNING, worker=ME)
    return claimed(run, kind="refresh", input=run.input, worker=ME)


def performed(run: Run) -> Outcome:
    mine = taken(run)
    work = perform.load_keys([mine])[mine.id]

    async def once() -> Outcome:
        async with open_means() as means:
            return await perform.perform_refresh(mine, work, means)

    return asyncio.run(once())


def test_sync_now_makes_a_run_of_its_own_that_is_in_the_audit_log(key: CacheKey) -> None:
    run = refresh_key(key=key, by=OPERATOR, now=NOW)

    assert (run.kind, run.runnable, run.input, run.cause) == ("refresh", None, {"key": key.pk}, Cause.MANUAL)
    assert (run.state, run.queue, run.application_id) == (State.QUEUED, "io", key.application_id)
    assert AuditEntry.objects.filter(action="cachekey.sync", subject=key.name).count() == 1
    assert CachedValue.objects.get().asked_at == NOW


def test_a_key_that_is_fetched_by_itself_has_a_row_of_no_task(key: CacheKey, sources: Sources) -> None:
    outcome = performed(refresh_key(key=key, by=OPERATOR, now=NOW))

    assert isinstance(outcome, Done)
    assert CachedValue.objects.get().body == '"new"'
    sync = KeySync.objects.get()
    assert (sync.key_id, sync.runnable_id, sync.state, sync.changed) == (key.pk, None, "succeeded", True)


@pytest.mark.usefixtures("still")
def test_it_is_tried_again_as_its_application_has_it(key: CacheKey, sources: Sources) -> None:
    sources.answer = lambda _values, _nth: unfetched()
    Application.objects.filter(pk=key.application_id).update(retries=1, retry_step_s=500)
    run = refresh_key(key=key, by=OPERATOR, now=NOW)

    first = performed(run)
    assert isinstance(first, Later)
    assert 500 <= first.seconds <= 550
    KeySync.objects.update(due_at=NOW)
    last = performed(run)

    assert isinstance(last, Failed)
    assert (last.error_class, last.error, last.retry) == ("status", "The source answered 503.", False)
    assert last.output["failed"] == 1


def test_many_keys_are_fetched_in_one_run(shop: Application, sources: Sources) -> None:
    keys = make_keys(shop, 3)
    strange = make_keys(make_application("Charlie's"), 1)

    run = refresh_keys(application=shop, key_ids=[one.pk for one in keys + strange], by=OPERATOR, now=NOW)

    assert run is not None
    assert performed(run).output["succeeded"] == 3  # type: ignore[union-attr]
    assert AuditEntry.objects.get(action="cachekey.sync").subject == "3 keys"


def test_none_of_ones_own_keys_makes_no_run(shop: Application) -> None:
    strange = make_keys(make_application("Charlie's"), 1)

    assert refresh_keys(application=shop, key_ids=[strange[0].pk], by=OPERATOR, now=NOW) is None
    assert not Run.objects.exists()


def test_a_run_whose_key_was_deleted_has_lost_its_owner(key: CacheKey) -> None:
    run = refresh_key(key=key, by=OPERATOR, now=NOW)
    key.delete()

    assert perform.load_keys([taken(run)]) == {}


def test_another_tenants_key_is_not_fetched_whatever_the_input_says(key: CacheKey) -> None:
    run = refresh_key(key=key, by=OPERATOR, now=NOW)
    Run.objects.update(application=make_application("Charlie's"))
    run.refresh_from_db()

    assert perform.load_keys([taken(run)]) == {}


def test_loading_costs_two_queries_however_many_runs_there_are(
    shop: Application, django_assert_num_queries: Any
) -> None:
    runs = [refresh_key(key=key, by=OPERATOR, now=NOW) for key in make_keys(shop, 5)]
    mine = [taken(run) for run in runs]

    with django_assert_num_queries(2):
        assert len(perform.load_keys(mine)) == 5


def test_a_reader_gets_a_key_fetched_once_and_again_after_a_while(key: CacheKey) -> None:
    assert ask([key.pk], NOW) == [key.pk]
    assert ask([key.pk], after(REFRESH_AGAIN_S - 1)) == []
    assert ask([key.pk], after(REFRESH_AGAIN_S)) == [key.pk]

    assert set(Run.objects.values_list("cause", "kind", "priority")) == {(Cause.CODE, "refresh", 10)}
    assert [run.input for run in Run.objects.all()] == [{"key": key.pk}] * 2


def test_of_many_readers_at_once_one_gets_the_key(key: CacheKey) -> None:
    found = together(*[lambda: ask([key.pk], NOW)] * 8)

    assert sorted(found) == [[]] * 7 + [[key.pk]]
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    ("state", "due", "is_asked"),
    [
        (State.RUNNING, 0, False),
        (State.RETRYING, 30, False),
        (State.RETRYING, 3600, True),
        (State.ABORTED, 0, True),
        (State.FAILED, 0, True),
    ],
)
def test_a_key_that_will_soon_be_fetched_is_not_asked_for(
    state: State, due: float, is_asked: bool, key: CacheKey
) -> None:
    run = make_run(make_runnable(key.application), state)
    make_sync(run, key, "waiting", attempts=1, due_at=after(due))

    assert bool(ask([key.pk], NOW)) is is_asked


def test_asking_costs_as_many_statements_for_many_keys_as_for_one(
    shop: Application, django_assert_num_queries: Any
) -> None:
    keys = [key.pk for key in make_keys(shop, 20)]

    with django_assert_num_queries(4):  # with BEGIN and COMMIT
        assert sorted(ask(keys, NOW)) == keys


def test_a_key_that_is_gone_is_nobodys(key: CacheKey) -> None:
    assert ask([key.pk + 1], NOW) == []
