"""WHAT=fairness: how late one job of a tenant is while another tenant's pile is due, alone and among many tenants."""

import time
from argparse import Namespace
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connection

from badgerjobs.runs import dispatch, fleet
from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.models import Application
from bench import rows, stack
from bench.report import say, table
from bench.stack import wait_until

GIVE_UP_S = 60
# From the moment that the pile is due until the first single job is, and from each to the next.
EVERY_S = 1.0
AHEAD = timedelta(seconds=1.5)

_PLAN = """
UPDATE runs_runnable SET enabled = true, run_at = %(due)s, next_run_at = %(due)s WHERE name LIKE ANY(%(names)s)
"""


@dataclass(frozen=True)
class Single:
    """One job that was due: milliseconds until a tick saw it, a worker took it, and its result was there."""

    seen: float
    taken: float
    done: float


@dataclass(frozen=True)
class Delay:
    """Beside so many tenants with work: how late each single job was, and what else was done each second."""

    tenants: int
    singles: list[Single]
    per_second: float
    left: int

    def middle(self, of: str) -> float:
        """The median of `seen`, `taken` or `done`."""
        return float(median(getattr(one, of) for one in self.singles))

    @property
    def most(self) -> float:
        return max(one.done for one in self.singles)


def measure(options: Namespace) -> dict[str, Any]:
    """A pile that is due at once, then single jobs, one each second: beside nobody else's work, and beside much."""
    with stack.receiving() as receiver:
        job = rows.template(receiver.url)
        _fill(job, options)
        delays = [_delay(options, tenants) for tenants in (0, options.tenants)]
    _show(options, delays)
    return _figures(options, delays)


def _fill(job: Any, options: Namespace) -> None:
    """One application with the pile, one with the single jobs, and the other tenants."""
    application = job.application
    rows.copy_applications(application, count=options.tenants + 1)
    single, *_ = Application.objects.exclude(pk=application.pk).order_by("pk").values_list("pk", flat=True)
    rows.copy_jobs(job, names="pile", count=options.pile)
    rows.copy_jobs(job, names="single", count=options.singles, application=str(single))
    rows.copy_jobs(
        job, names="other", count=options.tenants * options.each, application=f"{single} + 1 + n %% {options.tenants}"
    )
    rows.settle()
    say(f"{options.pile:,} jobs of one tenant, {options.each} of each of {options.tenants:,} others")


def _delay(options: Namespace, tenants: int) -> Delay:
    """Start the stack on empty queues, and end it when the last single job was performed: the pile is left."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE runs_run, runs_attempt, runs_worker, runs_leader")
        cursor.execute("UPDATE runs_runnable SET next_run_at = NULL WHERE next_run_at IS NOT NULL")
    rows.settle()
    with stack.running():
        due = fleet.database_now() + AHEAD
        _plan(["pile-%", "other-%"] if tenants else ["pile-%"], due)
        time.sleep(max(0.0, (due - fleet.database_now()).total_seconds()))
        singles = [_single(number) for number in range(1, options.singles + 1)]
        took = (fleet.database_now() - due).total_seconds()
        done = Run.objects.filter(state=State.SUCCEEDED).count()
    total = options.pile + (tenants * options.each) + options.singles
    delay = Delay(tenants, singles, done / took, total - done)
    say(f"beside {tenants:,} other tenants: at most {delay.most:.0f} ms late, {done:,} of {total:,} runs done")
    return delay


def _plan(names: list[str], due: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_PLAN, {"names": names, "due": due})
        cursor.execute("SELECT pg_notify(%s, '')", [dispatch.CHANNEL])


def _single(number: int) -> Single:
    """Let one single job be due now, and wait until its result is stored."""
    began = time.monotonic()
    due = fleet.database_now()
    _plan([f"single-{number}"], due)
    done = Run.objects.filter(runnable__name=f"single-{number}", state=State.SUCCEEDED)
    wait_until(done.exists, seconds=GIVE_UP_S, what=f"single job {number}", every=0.02)
    moments = done.values_list("created_at", "started_at", "finished_at").get()
    time.sleep(max(0.0, began + EVERY_S - time.monotonic()))
    return Single(*((moment - due) / timedelta(milliseconds=1) for moment in moments if moment))


def _show(options: Namespace, delays: list[Delay]) -> None:
    table(
        [
            f"{options.pile:,} due of one tenant",
            "single jobs",
            "seen ms",
            "taken",
            "done p50",
            "most",
            "runs/s",
            "left",
        ],
        [
            [
                f"beside {delay.tenants:,} others",
                len(delay.singles),
                *(f"{delay.middle(of):.0f}" for of in ("seen", "taken", "done")),
                f"{delay.most:.0f}",
                f"{delay.per_second:,.0f}",
                f"{delay.left:,}",
            ]
            for delay in delays
        ],
    )


def _figures(options: Namespace, delays: list[Delay]) -> dict[str, Any]:
    return {
        "late_max_ms": round(max(delay.most for delay in delays)),
        "pile": options.pile,
        "each": options.each,
        "workers": settings.WORKERS,
        "beside": [
            {
                "tenants": delay.tenants,
                "seen_p50_ms": round(delay.middle("seen")),
                "taken_p50_ms": round(delay.middle("taken")),
                "late_p50_ms": round(delay.middle("done")),
                "late_max_ms": round(delay.most),
                "runs_per_second": round(delay.per_second),
            }
            for delay in delays
        ],
    }
