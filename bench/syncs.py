"""WHAT=syncs: how long a task takes over many keys of one source, which answers after 20 ms and takes 50 calls at once.

Once as the answers are, and once with a transform, of which each key costs a call of the sandbox.
"""

import os
from argparse import Namespace
from datetime import UTC, datetime
from statistics import median
from typing import Any

from badgerjobs.runs.models import Cause, Run, Runnable, State
from badgerjobs.runs.services import run_now
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.types import type_of
from badgerjobs.workspaces.models import Application, Workspace
from bench import rows, stack
from bench.report import say, table
from tasks.models import KIND, CachedValue, CacheKey, KeySync, Selection, Task, TaskType

ANSWER_S = 0.02
AT_ONCE = 50
GIVE_UP_S = 120
# Keys in one statement, while the tables are filled.
BATCH = 5000
SORTS = {"as it is": "", "with a transform": "return {length: response.length, of: variables.PRODUCT_ID};"}


def measure(options: Namespace) -> dict[str, Any]:
    """Fill the tables, start the stack, and run both tasks so many times."""
    os.environ["HOST_SLOTS"] = str(AT_ONCE)
    with stack.receiving(ANSWER_S) as receiver:
        workspace = Workspace.objects.create(name="bench")
        application = Application.objects.create(workspace=workspace, name="syncs")
        tasks = {
            name: _fill(application, receiver.url, transform, f"source-{n}", options.synced)
            for n, (name, transform) in enumerate(SORTS.items(), start=1)
        }
        rows.settle()
        with stack.running():
            say(
                f"{options.synced:,} keys of each source, which takes {AT_ONCE} calls at once "
                f"and answers after {1000 * ANSWER_S:.0f} ms"
            )
            took = {
                name: [_seconds(task, options.synced) for _ in range(options.rounds)] for name, task in tasks.items()
            }
    table(
        [f"{options.synced:,} keys", *(f"round {n}" for n in range(1, options.rounds + 1)), "median s", "keys/s"],
        [
            [
                name,
                *(f"{one:.2f}" for one in all_of),
                f"{median(all_of):.2f}",
                f"{options.synced / median(all_of):,.0f}",
            ]
            for name, all_of in took.items()
        ],
    )
    plain, transformed = (round(median(all_of), 2) for all_of in took.values())
    return {"keys": options.synced, "seconds": plain, "seconds_with_transform": transformed, "rounds": options.rounds}


def _fill(application: Application, url: str, transform: str, tag: str, count: int) -> Task:
    """A source, keys of it, and a task that means them."""
    configuration = type_of("REST").serializer(data={"url": url + "{{PRODUCT_ID}}", "transform": transform})
    configuration.is_valid(raise_exception=True)
    source = DataSource.objects.create(
        application=application, tag=tag, name=tag, type="REST", configuration=configuration.validated_data,
        variables=["PRODUCT_ID"],
    )  # fmt: skip
    now = datetime.now(UTC)
    keys = CacheKey.objects.bulk_create(
        (
            CacheKey(
                application=application, source=source, name=f"{tag}-product-{n}", variables={"PRODUCT_ID": str(n)},
                created_at=now, updated_at=now,
            )
            for n in range(1, count + 1)
        ),
        BATCH,
    )  # fmt: skip
    CachedValue.objects.bulk_create([CachedValue(key=key) for key in keys], BATCH)
    runnable = Runnable.objects.create(application=application, kind=KIND, name=tag, anchor=now)
    return Task.objects.create(
        application=application, runnable=runnable, tag=tag, name=tag, type=TaskType.ON_DEMAND,
        selection=Selection.PREFIX, pattern=f"{tag}-",
    )  # fmt: skip


def _seconds(task: Task, count: int) -> float:
    """How long a run takes, from when it was asked for. Raises RuntimeError when it is not as it must be."""
    made = run_now(runnable=task.runnable, cause=Cause.MANUAL, now=datetime.now(UTC))
    runs = Run.objects.filter(pk=made.pk, finished_at__isnull=False)
    stack.wait_until(runs.exists, seconds=GIVE_UP_S, what=f"{count} keys")
    run = runs.get()
    synced = KeySync.objects.filter(run=run, state="succeeded", attempts=1).count()
    if run.state != State.SUCCEEDED or synced != count:
        raise RuntimeError(f"the run {run.state} with {run.output}: {run.error}")
    assert run.finished_at is not None  # noqa: S101
    return (run.finished_at - run.created_at).total_seconds()
