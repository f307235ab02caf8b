"""How long requests are remembered."""

from datetime import timedelta

import pytest

from badgerjobs.runs import retention as runs
from badgerjobs.web import retention
from badgerjobs.web.models import KeyedRequest
from tests.factories import NOW, make_application

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def ages() -> list[timedelta]:
    """Requests of these ages, at NOW, under keys of their number."""
    application = make_application()
    ages = [SECOND, retention.KEYS_KEPT - SECOND, retention.KEYS_KEPT + SECOND, retention.KEYS_KEPT * 2]
    for number, age in enumerate(ages):
        row = KeyedRequest.objects.create(application=application, key=str(number), fingerprint="f")
        KeyedRequest.objects.filter(pk=row.pk).update(created_at=NOW - age)
    return ages


def left() -> str:
    return "".join(sorted(KeyedRequest.objects.values_list("key", flat=True)))


def test_keys_are_forgotten_after_a_day(ages: list[timedelta]) -> None:
    assert retention.forget_keys(now=NOW) == 2
    assert left() == "01"


def test_a_batch_is_bounded_and_begins_with_the_oldest(ages: list[timedelta], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    assert retention.forget_keys(now=NOW) == 1
    assert left() == "012"


def test_the_tick_that_prunes_forgets_keys_too(ages: list[timedelta]) -> None:
    runs.prune(now=NOW)
    assert left() == "01"
