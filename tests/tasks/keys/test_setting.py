"""Values that are set and not fetched: what readers get, and which of two values stays."""

import hashlib
from datetime import timedelta

import pytest
from django.db import transaction

from badgerjobs.lib.backoff import Retries
from badgerjobs.sources.models import DataSource
from badgerjobs.workspaces.models import Application
from tasks.cache import copies
from tasks.keys.setting import Setting, body_of, set_values
from tasks.models import CachedValue, CacheKey, KeySync
from tasks.syncs import books
from tasks.syncs.tries import settle
from tests.callers import Caller
from tests.factories import NOW, make_key, make_sync, make_task
from tests.runs.claims import ME, claimed
from tests.tasks.syncs.stages import begun, fetched

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def key(source: DataSource) -> CacheKey:
    return make_key(source, body='"old"')


def setting(application: Application, body: str = '"set"', seconds: float = 1, name: str = "product-1") -> Setting:
    """A value as of so many seconds after the one that is there was asked for."""
    return Setting(application.pk, name, body, NOW + timedelta(seconds=seconds))


def put(*settings: Setting) -> list[bool | None]:
    with transaction.atomic():
        return set_values(settings, now=NOW + timedelta(minutes=1))


def test_readers_get_it_at_once(alice: Caller, key: CacheKey) -> None:
    assert alice.get("/cache/product-1").body == "old"
    assert put(setting(alice.application, '{"price":7}')) == [True]
    assert alice.get("/cache/product-1").body == {"price": 7}


def test_nobody_gets_it_where_it_is_rolled_back(alice: Caller, key: CacheKey) -> None:
    with transaction.atomic():
        set_values([setting(alice.application)], now=NOW)
        transaction.set_rollback(True)
    assert alice.get("/cache/product-1").body == "old"


def test_copies_are_forgotten_after_the_commit_and_not_before(
    alice: Caller, key: CacheKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[tuple[int, list[str]]] = []
    monkeypatch.setattr(copies, "forget", lambda application_id, names: forgotten.append((application_id, names)))
    with transaction.atomic():
        set_values([setting(alice.application)], now=NOW)
        assert forgotten == []
    assert forgotten == [(alice.application.pk, ["product-1"])]


def test_its_row_is_as_a_sync_would_leave_it(alice: Caller, key: CacheKey) -> None:
    CachedValue.objects.update(error_class="status", error="The source answered 503.")
    body = '{"é":1}'

    put(setting(alice.application, body))

    value, set_at = CachedValue.objects.get(), NOW + timedelta(minutes=1)
    assert (value.body, value.bytes, value.etag) == (body, 8, hashlib.sha256(body.encode()).hexdigest())
    assert (value.started_at, value.fetched_at, value.changed_at) == (NOW + timedelta(seconds=1), set_at, set_at)
    assert (value.tried_at, value.error_class, value.error) == (set_at, "", "")


def test_the_same_value_has_not_changed(alice: Caller, key: CacheKey) -> None:
    put(setting(alice.application, '"old"'))
    assert CachedValue.objects.get().changed_at == NOW


@pytest.mark.parametrize(("seconds", "stays"), [(-1, '"old"'), (0, '"set"'), (1, '"set"')])
def test_a_value_that_was_asked_for_later_stays(alice: Caller, key: CacheKey, seconds: float, stays: str) -> None:
    assert put(setting(alice.application, seconds=seconds)) == [stays == '"set"']
    assert CachedValue.objects.get().body == stays


def test_a_key_that_was_never_filled_takes_it_and_one_that_is_not_there_does_not(
    alice: Caller, charlie: Caller, source: DataSource
) -> None:
    make_key(source)
    mine, none, theirs = setting(alice.application), setting(alice.application, name="x"), setting(charlie.application)
    assert put(mine, none, theirs) == [True, None, None]


def test_of_several_for_one_key_the_newest_stays_and_of_one_moment_the_last(alice: Caller, key: CacheKey) -> None:
    given = [("1", 5), ("2", 9), ("3", 9), ("4", 7)]
    assert put(*(setting(alice.application, body, seconds) for body, seconds in given)) == [False, False, True, False]
    assert CachedValue.objects.get().body == "3"


def test_an_answer_that_was_asked_for_before_does_not_replace_it(alice: Caller, key: CacheKey) -> None:
    row = begun(make_task(alice.application))
    make_sync(row, key, "waiting", attempts=0, started_at=None)
    run = claimed(row, worker=ME)
    [due], _ = books.take(run, [], now=NOW, limit=1)
    asked_at = NOW + timedelta(seconds=5)

    put(setting(alice.application, seconds=10))
    late = settle(due, fetched('"late"'), policy=Retries(), started_at=asked_at, ended_at=NOW + timedelta(hours=1))
    books.write(run, [late])

    assert CachedValue.objects.get().body == '"set"'
    assert KeySync.objects.get().state == "succeeded"


def test_what_cannot_be_kept_is_replaced_and_what_is_too_long_refused() -> None:
    assert body_of({"a": "\x00", "b": "é"}) == '{"a":"\ufffd","b":"é"}'
    assert body_of("x" * 999_998)
    with pytest.raises(ValueError, match="1,000,001 bytes as JSON"):
        body_of("x" * 999_999)
