"""What is written of a key, and what is not: because it is older, or another worker's, or of a key that has changed."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.lib.backoff import Retries
from badgerjobs.runs import fleet
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import Run
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.results import Fetched, Unfetched
from badgerjobs.sources.services import update_source
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from tasks.models import CachedValue, CacheKey, KeySync
from tasks.syncs import books
from tasks.syncs.tries import Due, PutOff, Tried, settle
from tests.factories import make_source, make_sync, make_task
from tests.runs.claims import ANOTHER, ME, claimed
from tests.tasks.syncs.stages import begun, fetched, make_keys, unfetched

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(shop: Application) -> Claimed:
    """A run of one key, in this worker's hands."""
    [key] = make_keys(shop, 1, body='"old"')
    run = begun(make_task(shop))
    make_sync(run, key, "waiting", attempts=0, started_at=None)
    return claimed(run, worker=ME)


def tried(
    run: Claimed, found: Fetched | Unfetched | None = None, age_s: float = 0, took_s: float = 0
) -> Tried | PutOff:
    """What a worker has in its hands of the key: its source was asked so many seconds ago, and took so many."""
    [due], _ = books.take(run, [], now=fleet.database_now(), limit=1)
    at = fleet.database_now() - timedelta(seconds=age_s)
    ended_at = at + timedelta(seconds=took_s)
    return settle(due, found or fetched('"late"'), policy=Retries(), started_at=at, ended_at=ended_at)


def test_an_answer_that_is_older_than_the_value_does_not_replace_it(run: Claimed) -> None:
    books.write(run, [tried(run, age_s=7200)])

    assert CachedValue.objects.get().body == '"old"'
    assert KeySync.objects.get().state == "succeeded"


@pytest.mark.parametrize("found", [fetched('"late"'), unfetched(retry=False)], ids=["good", "bad"])
def test_of_two_answers_the_one_that_was_asked_for_first_is_the_older_though_it_ends_last(
    found: Fetched | Unfetched, run: Claimed
) -> None:
    books.write(run, [tried(run, found, age_s=7200, took_s=7100)])

    value = CachedValue.objects.get()
    assert (value.body, value.error) == ('"old"', "")
    assert KeySync.objects.get().changed in {False, None}


def test_one_that_was_asked_for_later_replaces_the_value_though_it_ended_first(run: Claimed) -> None:
    value = CachedValue.objects.get()
    CachedValue.objects.update(fetched_at=fleet.database_now())

    books.write(run, [tried(run, age_s=1800)])

    asked_for = KeySync.objects.get().started_at
    assert asked_for is not None
    assert value.started_at is not None
    assert asked_for > value.started_at
    value.refresh_from_db()
    assert (value.body, value.started_at, KeySync.objects.get().changed) == ('"late"', asked_for, True)


def test_a_failure_that_is_older_than_the_last_try_says_nothing_of_the_value(run: Claimed) -> None:
    books.write(run, [tried(run, unfetched(retry=False), age_s=7200)])

    assert CachedValue.objects.get().error == ""
    assert KeySync.objects.get().state == "failed"


def test_a_good_answer_that_is_older_than_a_failure_leaves_what_that_says(run: Claimed) -> None:
    failed_at = fleet.database_now()
    CachedValue.objects.update(tried_at=failed_at, error_class="status", error="The source answered 503.")

    books.write(run, [tried(run, age_s=60)])

    value = CachedValue.objects.get()
    assert (value.body, value.tried_at, value.error_class) == ('"late"', failed_at, "status")


def test_of_two_with_the_same_key_the_first_to_write_has_tried_it(run: Claimed) -> None:
    first, second = tried(run, fetched('"first"')), tried(run, fetched('"second"'))

    assert len(books.write(run, [first])) == 1
    assert books.write(run, [second]) == set()

    assert CachedValue.objects.get().body == '"first"'
    assert KeySync.objects.get().attempts == 1


def of_another_worker(run: Claimed) -> None:
    Run.objects.filter(pk=run.id).update(worker=ANOTHER)


def over(run: Claimed) -> None:
    Run.objects.filter(pk=run.id).update(state="aborted", worker=None)


def of_another_source(run: Claimed) -> None:
    key = CacheKey.objects.get()
    CacheKey.objects.update(source=make_source(key.application, "another"))


def with_other_variables(run: Claimed) -> None:
    CacheKey.objects.update(variables={"PRODUCT_ID": "2"})


def of_a_source_that_was_changed(run: Claimed) -> None:
    source = DataSource.objects.get()
    address = {"url": "https://elsewhere.example.com/{{PRODUCT_ID}}"}
    update_source(source=source, by=OPERATOR, now=fleet.database_now(), configuration=address)


def gone(run: Claimed) -> None:
    CacheKey.objects.all().delete()


@pytest.mark.parametrize(
    "become",
    [of_another_worker, over, of_another_source, with_other_variables, of_a_source_that_was_changed, gone],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("found", [fetched(), unfetched(), unfetched(retry=False)], ids=["good", "bad", "hopeless"])
def test_what_was_fetched_for_what_is_no_longer_so_leaves_no_trace(
    found: Fetched | Unfetched, become: Callable[[Claimed], None], run: Claimed
) -> None:
    one = tried(run, found)
    become(run)

    assert books.write(run, [one]) == set()

    assert list(KeySync.objects.values_list("state", "attempts")) == [("waiting", 0)]
    assert set(CachedValue.objects.values_list("body", "error")) <= {('"old"', "")}


def test_a_key_whose_source_went_between_the_two_reads_waits_for_the_next(
    run: Claimed, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = books._due

    def reading(row: Sequence[Any]) -> Due:
        key = CacheKey.objects.get()
        CacheKey.objects.update(source=make_source(key.application, "another"))
        key.source.delete()
        return read(row)

    with monkeypatch.context() as patch:
        patch.setattr(books, "_due", reading)
        assert books.take(run, [], now=fleet.database_now(), limit=1) == ([], {})

    [due], sources = books.take(run, [], now=fleet.database_now(), limit=1)
    assert sources[due.source_id].tag == "another"


def test_what_is_put_off_moves_its_time_and_nothing_else(run: Claimed) -> None:
    [due], _ = books.take(run, [], now=fleet.database_now(), limit=1)
    later = fleet.database_now() + timedelta(minutes=1)

    books.write(run, [PutOff(due, later)])

    sync = KeySync.objects.get()
    assert (sync.state, sync.attempts, sync.due_at, sync.started_at) == ("waiting", 0, later, None)


def test_a_batch_takes_as_many_statements_for_many_keys_as_for_one(
    shop: Application, django_assert_num_queries: object
) -> None:
    keys = make_keys(shop, 30)
    row = begun(make_task(shop))
    for key in keys:
        make_sync(row, key, "waiting", attempts=0, started_at=None)
    run, now = claimed(row, worker=ME), fleet.database_now()
    with django_assert_num_queries(2):  # type: ignore[operator]
        due, _ = books.take(run, [], now=now, limit=100)
    answers: list[Fetched | Unfetched] = [fetched(), unfetched(), unfetched(retry=False)]
    batch = [
        settle(one, found, policy=Retries(), started_at=now, ended_at=now)
        for one, found in zip(due, answers * 10, strict=True)
    ]

    with django_assert_num_queries(6):  # type: ignore[operator]  # with SAVEPOINT and its release
        assert len(books.write(run, batch)) == 30


def test_of_two_failures_of_the_same_attempt_one_counts(run: Claimed) -> None:
    first, second = tried(run, unfetched()), tried(run, unfetched())

    assert len(books.write(run, [first])) == 1
    assert books.write(run, [second]) == set()

    assert KeySync.objects.get().attempts == 1
