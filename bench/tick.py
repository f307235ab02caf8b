"""WHAT=tick: what a tick of beat costs, in milliseconds and in pages read, when few and when many are not due."""

import time
from argparse import Namespace
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db import connection

from badgerjobs.runs import dispatch, fleet
from badgerjobs.runs.models import Runnable
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.services import create_application
from bench import rows
from bench.report import say, table

FEW = 1_000
DUE = 100

_SPREAD = "(SELECT min(id) FROM workspaces_application) + n %% (SELECT count(*) FROM workspaces_application)"
# By id: a search by name through a million rows would push what a tick reads out of the processor's caches.
# What earlier ticks queued is taken away: no occurrence overlaps with it.
_PLAN = """
WITH gone AS (DELETE FROM runs_run)
UPDATE runs_runnable SET run_at = now(), next_run_at = now() WHERE id = ANY(%s)
"""


@dataclass(frozen=True)
class Cost:
    """The median of some ticks: milliseconds of this process's clock, and pages of PostgreSQL's buffers."""

    ms: float
    pages: float


@dataclass(frozen=True)
class Place:
    """What lies in the tables, and what the two sorts of tick cost beside it."""

    applications: int
    not_due: int
    idle: Cost
    busy: Cost


def measure(options: Namespace) -> dict[str, Any]:
    """Measure with few and many Runnables, that belong to one application and then to many."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    application = create_application(name="Bench", workspace="Bench", by=OPERATOR, now=fleet.database_now())
    places = []
    for applications in (1, options.applications):
        rows.copy_applications(application, count=applications - Application.objects.count())
        places += [_place(not_due, options) for not_due in (FEW, options.many)]
    _show(places)
    return _figures(places)


def _place(not_due: int, options: Namespace) -> Place:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE runs_runnable, runs_run, runs_attempt CASCADE")
    runnable = rows.template("http://127.0.0.1/").runnable
    rows.copy_runnables(runnable, names="due", count=DUE, next_run_at=rows.NEVER, application=_SPREAD)
    rows.copy_runnables(runnable, names="other", count=not_due, next_run_at=rows.FAR, application=_SPREAD)
    rows.settle()
    due = list(Runnable.objects.filter(name__startswith="due-").values_list("id", flat=True))
    idle, busy = _cost(options.ticks, due=[]), _cost(options.ticks, due=due)
    say(f"{Application.objects.count():,} applications, {not_due:,} not due: {idle.ms:.2f} ms, {busy.ms:.1f} with work")
    return Place(Application.objects.count(), not_due, idle, busy)


def _cost(ticks: int, *, due: list[int]) -> Cost:
    costs = [_tick(due=due) for _ in range(ticks)]
    return Cost(median(cost.ms for cost in costs), median(cost.pages for cost in costs))


def _tick(*, due: list[int]) -> Cost:
    with connection.cursor() as cursor:
        if due:
            cursor.execute(_PLAN, [due])
        cursor.execute("SELECT pg_stat_statements_reset()")
        start = time.perf_counter()
        done = dispatch.tick()
        ms = (time.perf_counter() - start) * 1000
        cursor.execute(
            "SELECT sum(shared_blks_hit + shared_blks_read) FROM pg_stat_statements"
            " WHERE query NOT LIKE '%%pg_stat_statements%%'"
        )
        (pages,) = cursor.fetchone()
    if done.queued.total() != len(due):
        raise RuntimeError(f"{len(due)} were due, and {done.queued.total()} were queued")
    return Cost(ms, float(pages))


def _show(places: list[Place]) -> None:
    table(
        ["applications", "not due", "idle ms", "pages", f"{DUE} due ms", "pages"],
        [
            [
                f"{place.applications:,}",
                f"{place.not_due:,}",
                f"{place.idle.ms:.2f}",
                f"{place.idle.pages:.0f}",
                f"{place.busy.ms:.1f}",
                f"{place.busy.pages:,.0f}",
            ]
            for place in places
        ],
    )


def _figures(places: list[Place]) -> dict[str, Any]:
    return {
        "due": DUE,
        "ticks": [
            {
                "applications": place.applications,
                "not_due": place.not_due,
                "idle_ms": round(place.idle.ms, 3),
                "idle_pages": place.idle.pages,
                "due_ms": round(place.busy.ms, 2),
                "due_pages": place.busy.pages,
            }
            for place in places
        ],
    }
