"""For how long background tasks are kept."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.runs import retention
from badgerjobs.runs.models import FINAL, Attempt, Gone, LogLine, Run, State
from badgerjobs.runs.services import delete_application
from badgerjobs.workspaces.models import Application
from tasks.models import BackgroundRun
from tests.factories import NOW, make_application, make_attempt, make_background_run
from tests.tasks.background.defined import define

pytestmark = pytest.mark.usefixtures("registry")

DAY = timedelta(days=1)


def make_old(application: Application, days: float, state: State = State.SUCCEEDED, **fields: Any) -> BackgroundRun:
    """A task that was triggered, and over, so many days ago; with an attempt and a line."""
    row = make_background_run(application, state, created_at=NOW - days * DAY, **fields)
    make_attempt(row.run)
    LogLine.objects.create(run=row.run, application=application, level="info", message="x", created_at=NOW)
    return row


def left() -> set[Any]:
    return set(BackgroundRun.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("state", [state for state in State if state != State.SKIPPED])
def test_what_is_over_is_kept_for_ninety_days_whatever_other_runs_are(shop: Application, state: State) -> None:
    old, kept = make_old(shop, 91, state), make_old(shop, 89, state)
    retention.prune(now=NOW)
    is_over = state in FINAL
    assert left() == ({kept.pk} if is_over else {old.pk, kept.pk})
    counts = Counter(model.objects.count() for model in (Run, BackgroundRun, Attempt, LogLine))
    assert counts == {1 if is_over else 2: 4}


def test_days_count_from_the_end(shop: Application) -> None:
    row = make_old(shop, 200, run={"finished_at": NOW - 80 * DAY})
    retention.prune(now=NOW)
    assert left() == {row.pk}


@pytest.mark.parametrize(
    ("days", "is_kept"),
    [
        ((90, None, None), True),
        ((10, None, None), False),
        ((0, None, None), True),
        ((10, 40, None), True),
        ((90, 10, None), False),
        ((10, 0, None), True),
        ((90, 90, 10), False),
        ((10, 10, 40), True),
        ((10, 10, 0), True),
    ],
)
def test_the_definition_decides_and_then_the_application_and_then_the_setting(
    shop: Application, settings: Any, days: tuple[int, int | None, int | None], is_kept: bool
) -> None:
    settings.BACKGROUND_RETENTION_DAYS, application, definition = days
    Application.objects.filter(pk=shop.pk).update(background_retention_days=application)
    define(retention_days=definition)
    row = make_old(shop, 20)
    retention.prune(now=NOW)
    assert left() == ({row.pk} if is_kept else set())


def test_each_definition_and_application_goes_by_its_own(shop: Application) -> None:
    other = make_application("Charlie's")
    Application.objects.filter(pk=other.pk).update(background_retention_days=5)
    define(id="short", retention_days=1)
    define(id="long", retention_days=3650)
    rows = {
        (owner.pk, name): make_old(owner, 20, definition=name).pk
        for owner in (shop, other)
        for name in ("short", "long", "x")
    }
    retention.prune(now=NOW)
    assert left() == {rows[shop.pk, "long"], rows[shop.pk, "x"], rows[other.pk, "long"]}


def test_batches_go_on_until_nothing_old_is_left(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    define(id="short", retention_days=1)
    for _ in range(5):
        make_old(shop, 100)
        make_old(shop, 2, definition="short")
    retention.prune(now=NOW)
    assert not Run.objects.exists()


def test_what_a_deleted_application_left_goes(shop: Application) -> None:
    make_old(shop, 1)
    make_old(shop, 1, State.RUNNING)
    kept = make_old(make_application("Charlie's"), 1)
    delete_application(application=shop)
    retention.prune(now=NOW)
    assert left() == {kept.pk}
    assert not Gone.objects.exists()
