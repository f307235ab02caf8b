"""What the panel says of tasks: which keys they mean, when they run, and how that went, in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count

from badgerjobs.runs.models import Run
from badgerjobs.runs.owner_rows import OwnerRow
from badgerjobs.runs.recent import last_ended, last_runs
from badgerjobs.runs.saying import Saying, saying
from tasks.counts import Counts, keys_in_words
from tasks.models import Selection, Task, TaskKey, TaskType

# How a pattern chooses, in front of it.
CHOOSES = {
    Selection.CONTAINS: "contains",
    Selection.PREFIX: "begins with",
    Selection.GLOB: "matches",
    Selection.TAG: "tagged",
}


@dataclass(frozen=True, slots=True)
class Row(OwnerRow):
    """A task, what its last runs were, and how many keys it names, where it names them."""

    task: Task
    counts: Counts | None = None
    named: int = 0

    @property
    def schedule(self) -> Saying:
        return schedule_of(self.task)

    @property
    def chooses(self) -> str:
        """`contains`, `begins with` …; empty where it names its keys."""
        return CHOOSES.get(self.task.selection, "")  # type: ignore[call-overload,no-any-return]  # both are text

    @property
    def asks_for_body(self) -> bool:
        return asks_for_body(self.task)

    @property
    def keys(self) -> str:
        """`12 keys`, for one that names them."""
        return keys_in_words(self.named)

    @property
    def result(self) -> str:
        """`succeeded`, `partly failed`, `failed`: how the last one ended."""
        if not self.ended:
            return ""
        return "partly failed" if self.counts and self.counts.is_partly_failed else self.ended.state

    @property
    def said(self) -> str:
        """`997 of 1,000 keys, 3 failed`; or why there was none."""
        if self.counts:
            return self.counts.words
        return self.ended.error if self.ended else ""


def schedule_of(task: Task) -> Saying:
    """When it runs, in few words."""
    if task.type == TaskType.WEBHOOK:
        return Saying("When its webhook is called")
    return Saying("On demand") if task.type == TaskType.ON_DEMAND else saying(task.runnable)


def asks_for_body(task: Task) -> bool:
    """Whether who runs it by hand is asked for an example of what its webhook would bring."""
    return task.type == TaskType.WEBHOOK and bool(task.transform)


def rows_of(tasks: Iterable[Task], now: datetime) -> list[Row]:
    """The tasks with what their lists say of their runs and keys: four queries, however many tasks there are."""
    tasks = list(tasks)
    ids = [task.runnable_id for task in tasks]
    strips, ended = (last_runs(ids), last_ended(ids)) if ids else ({}, {})
    outputs = _outputs([one.id for one in ended.values()])
    named = keys_named(tasks)
    return [
        Row(
            task.runnable,
            strips.get(task.runnable_id, []),
            last := ended.get(task.runnable_id),
            now,
            task,
            Counts.of_output(outputs.get(last.id)) if last else None,
            named.get(task.pk, 0),
        )
        for task in tasks
    ]


def keys_named(tasks: Iterable[Task]) -> dict[int, int]:
    """Task → how many keys it names. Asked for all at once: for each by itself, PostgreSQL would read all each time."""
    task_ids = [task.pk for task in tasks if task.selection == Selection.EXACT]
    if not task_ids:
        return {}
    rows = TaskKey.objects.filter(task__in=task_ids).order_by().values("task_id").annotate(named=Count("pk"))
    return dict(rows.values_list("task_id", "named"))


def _outputs(run_ids: Sequence[Any]) -> dict[Any, Any]:
    return dict(Run.objects.filter(pk__in=run_ids).values_list("pk", "output")) if run_ids else {}
