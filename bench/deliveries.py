"""WHAT=deliveries: how fast deliveries that are stored already are acted upon, with a transform and without.

Each runs one task, which has no keys: what is measured is what stands before that.
"""

from argparse import Namespace
from datetime import datetime
from statistics import median
from typing import Any

from django.db import connection, transaction

from badgerjobs.lib.ids import uuid7s
from badgerjobs.lib.tokens import digest_of
from badgerjobs.runs import fleet
from badgerjobs.runs.models import Cause, Overlap, Queue, Run, Runnable, State
from badgerjobs.runs.worker import ring
from badgerjobs.workspaces.models import Application, Workspace
from bench import rows, stack
from bench.report import say, table
from tasks.models import KIND as TASK
from tasks.models import Selection, Task, TaskType
from webhooks.models import KIND, Act, Delivery, Hook, Standing

GIVE_UP_S = 180
BODY = b'{"product": {"id": 7, "title": "' + b"x" * 960 + b'"}}'
SORTS = {"as they are": "", "with a transform": "return {variables: {ID: body.product.id}};"}
# No more runs of a task may wait.
MOST = 1000


def measure(options: Namespace) -> dict[str, Any]:
    """Make a hook of each sort, start the stack, and give each so many deliveries, in turn."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    application = Application.objects.create(workspace=Workspace.objects.create(name="bench"), name="deliveries")
    hooks = {name: _hook(application, f"hook-{n}", code) for n, (name, code) in enumerate(SORTS.items())}
    count = min(options.delivered, MOST)
    rows.settle()
    took: dict[str, list[float]] = {name: [] for name in hooks}
    asked: dict[str, float] = {}
    with stack.running():
        say(f"{count:,} deliveries of 1 KB, each of which runs a task without keys")
        for _ in range(options.rounds):
            for name, hook in hooks.items():
                seconds, statements = _seconds(hook, count)
                took[name].append(seconds)
                asked[name] = statements / count
    table(
        [
            "deliveries",
            *(f"round {n}" for n in range(1, options.rounds + 1)),
            "median s",
            "a second",
            "statements each",
        ],
        [
            [
                name,
                *(f"{one:.2f}" for one in all_of),
                f"{median(all_of):.2f}",
                f"{count / median(all_of):,.0f}",
                f"{asked[name]:.2f}",
            ]
            for name, all_of in took.items()
        ],
    )
    plain, transformed = (round(count / median(all_of)) for all_of in took.values())
    return {
        "per_second": plain,
        "per_second_with_transform": transformed,
        "statements_each": round(asked["as they are"], 2),
        "deliveries": count,
        "rounds": options.rounds,
    }


def _hook(application: Application, tag: str, transform: str) -> Hook:
    """A hook and its task."""
    now = fleet.database_now()
    task = Runnable.objects.create(
        application=application, kind=TASK, name=f"{tag}-task", anchor=now, overlap=Overlap.ALLOW
    )
    Task.objects.create(
        application=application, runnable=task, tag=task.name, name=task.name, type=TaskType.ON_DEMAND,
        selection=Selection.EXACT,
    )  # fmt: skip
    own = Runnable.objects.create(application=application, kind=KIND, name=tag, anchor=now, overlap=Overlap.ALLOW)
    return Hook.objects.create(
        application=application, runnable=own, tag=tag, name=tag, secret=tag, digest=digest_of(tag),
        transform=transform, transform_version=1, actions=[{"name": "sync", "type": "sync", "task": task.name}],
    )  # fmt: skip


def _seconds(hook: Hook, count: int) -> tuple[float, int]:
    """From when they are stored until the last one is over, and how many statements the database had meanwhile.

    Raises RuntimeError when one of them is not as it must be. What the runs of the tasks ask is counted, too.
    """
    began, ids = _store(hook, count)
    runs = Run.objects.filter(pk__in=ids)
    over = runs.filter(finished_at__isnull=False)
    ring(Queue.IO)
    stack.wait_until(lambda: over.count() == count, seconds=GIVE_UP_S, what=f"{count} deliveries", every=0.1)
    done = Act.objects.filter(run_id__in=ids, state="done").count()
    if done != count or runs.exclude(state=State.SUCCEEDED).exists():
        raise RuntimeError(f"of {count} deliveries {done} were acted upon")
    waiting = Run.objects.filter(kind=TASK).unfinished()
    stack.wait_until(lambda: not waiting.exists(), seconds=GIVE_UP_S, what="their tasks")
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(calls) FROM pg_stat_statements WHERE query NOT LIKE '%%pg_stat_statements%%'")
        [statements] = cursor.fetchone() or [0]
    last = max(run.finished_at for run in runs.only("finished_at") if run.finished_at)
    return (last - began).total_seconds(), int(statements)


def _store(hook: Hook, count: int) -> tuple[datetime, list[Any]]:
    now = fleet.database_now()
    ids = uuid7s(now, count)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_statements_reset()")
    with transaction.atomic():
        Delivery.objects.bulk_create(
            Delivery(
                id=one, application=hook.application, runnable=hook.runnable, run_id=one, standing=Standing.ACCEPTED,
                method="POST", headers={"Content-Type": "application/json"}, body=BODY, bytes=len(BODY),
                received_at=now,
            )
            for one in ids
        )  # fmt: skip
        Run.objects.bulk_create(
            Run(
                id=one, application=hook.application, runnable=hook.runnable, kind=KIND, queue=Queue.IO, priority=50,
                cause=Cause.WEBHOOK, number=0, state=State.QUEUED, due_at=now, created_at=now,
                input={"delivery": str(one)},
            )
            for one in ids
        )  # fmt: skip
    return fleet.database_now(), ids
