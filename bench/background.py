"""WHAT=background: how fast background tasks of one iteration are done, alone and beside many that are delayed."""

from argparse import Namespace
from statistics import median
from typing import Any

from django.db import transaction

from badgerjobs.runs import fleet
from badgerjobs.runs.models import Queue, Run, State
from badgerjobs.runs.worker import ring
from badgerjobs.workspaces.models import Application, Workspace
from bench import rows, stack
from bench.report import say, table
from tasks.background import trigger

GIVE_UP_S = 180
# One of those that come with us.
DEFINITION = "testingRun"
# So many wait, for so long.
DELAYED, DELAY_S = 10_000, 86_400


def measure(options: Namespace) -> dict[str, Any]:
    """Trigger so many in one transaction, and wait until the last one is over; then beside 10,000 that are delayed."""
    application = Application.objects.create(workspace=Workspace.objects.create(name="bench"), name="background")
    took: dict[str, list[float]] = {}
    with stack.running():
        _seconds(application, 50)  # until there are processes
        took["alone"] = _rounds(application, options)
        _trigger(application, DELAYED, delay=DELAY_S)
        rows.settle()
        took[f"beside {DELAYED:,} delayed"] = _rounds(application, options)
    table(
        ["background tasks", *(f"round {n}" for n in range(1, options.rounds + 1)), "median s", "a second"],
        [
            [name, *(f"{one:.2f}" for one in all_of), f"{median(all_of):.2f}", f"{options.tasks / median(all_of):,.0f}"]
            for name, all_of in took.items()
        ],
    )
    alone, beside = (median(all_of) for all_of in took.values())
    return {
        "seconds": round(alone, 2),
        "seconds_beside_delayed": round(beside, 2),
        "tasks": options.tasks,
        "delayed": DELAYED,
        "rounds": options.rounds,
    }


def _rounds(application: Application, options: Namespace) -> list[float]:
    found = []
    for _ in range(options.rounds):
        found.append(_seconds(application, options.tasks))
        say(f"{options.tasks:,} tasks in {found[-1]:.2f} s")
    return found


def _seconds(application: Application, count: int) -> float:
    """From when they are stored until the last one is over. Raises RuntimeError when one of them did not succeed."""
    _trigger(application, count)
    began = fleet.database_now()
    ring(Queue.COMPUTE)
    runs = Run.objects.filter(application=application, kind="background")
    waiting = runs.filter(state__in=[State.QUEUED, State.RUNNING, State.RETRYING])
    stack.wait_until(lambda: not waiting.exists(), seconds=GIVE_UP_S, what=f"{count} tasks", every=0.05)
    if runs.exclude(state__in=[State.SUCCEEDED, State.SCHEDULED]).exists():
        raise RuntimeError("not all of them succeeded")
    last = runs.filter(finished_at__isnull=False).latest("finished_at").finished_at
    assert last is not None  # noqa: S101
    return (last - began).total_seconds()


def _trigger(application: Application, count: int, delay: int = 0) -> None:
    with transaction.atomic():
        for _ in range(count):
            trigger(application, DEFINITION, delay=delay)
