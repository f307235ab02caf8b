"""What is planned, switched off and on, one or many at once, and what the ledger says of it."""

from copy import copy
from datetime import datetime, timedelta
from typing import Any

import pytest

from badgerjobs.runs import making, many, services
from badgerjobs.runs.models import Run, Runnable
from badgerjobs.runs.planning import Occurrence, Plan
from badgerjobs.workspaces.models import Application
from tests.factories import NOW, make_application

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def add(**fields: Any) -> Runnable:
    application = Application.objects.first() or make_application()
    return services.add_runnable(Runnable(application=application, kind="http", name="r", **fields), now=NOW)


def dispatched(runnable: Runnable, at: datetime, then: datetime) -> None:
    """As if a tick had queued this occurrence, and a worker done it."""
    making.queue_planned([Plan(runnable.pk, then, [Occurrence(at, at)])], at)
    Run.objects.update(state="succeeded")


def change(runnable: Runnable, now: datetime, **fields: Any) -> Runnable:
    runnable.refresh_from_db()
    before = copy(runnable)
    for name, value in fields.items():
        setattr(runnable, name, value)
    services.change_runnable(runnable, before=before, now=now)
    runnable.refresh_from_db()
    return runnable


def off_by_one(runnable: Runnable, now: datetime) -> None:
    change(runnable, now, enabled=False)


def off_by_many(runnable: Runnable, now: datetime) -> None:
    many.pause_all([runnable.pk], now=now)


def on_by_one(runnable: Runnable, now: datetime) -> None:
    change(runnable, now, enabled=True)


def on_by_many(runnable: Runnable, now: datetime) -> None:
    many.resume_all([runnable.pk], now=now)


BOTH_WAYS = pytest.mark.parametrize(
    ("off", "on"), [(off_by_one, on_by_one), (off_by_many, on_by_many)], ids=["one", "many"]
)


def ledger(runnable: Runnable) -> list[tuple[datetime, datetime, int]]:
    rows = Run.objects.of(runnable.pk).filter(state="skipped", skip_reason="paused").order_by("id")
    return list(rows.values_list("occurrence", "skipped_until", "skipped_count"))  # type: ignore[arg-type]
