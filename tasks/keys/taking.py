"""Which tasks fetch a key without naming it: those whose pattern takes its name, or that mean one of its tags."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

from tasks.models import CacheKey, Selection, Task, TaskType
from tasks.selection import like
from tasks.webhook_variables import filled_pattern

# So many tasks with a pattern are looked at, by name.
LOOKED_AT = 200

_TAKING = """
SELECT given.task FROM unnest(%s::bigint[], %s::text[]) AS given(task, pattern) WHERE %s::text LIKE given.pattern
"""


class Taking(NamedTuple):
    """Those tasks, by name; whether some were left out: there are too many, or only a webhook fills their pattern."""

    tasks: Sequence[Task]
    is_part: bool


def tasks_taking(key: CacheKey) -> Taking:
    """Two queries, whatever their number."""
    rows = Task.objects.for_application(key.application).exclude(selection=Selection.EXACT)
    found = list(rows.only("tag", "name", "type", "selection", "pattern").order_by("name", "pk")[: LOOKED_AT + 1])
    known = {task: pattern for task in found[:LOOKED_AT] if (pattern := _pattern_of(task)) is not None}
    by_name = _that_take(
        key.name, {task: pattern for task, pattern in known.items() if task.selection != Selection.TAG}
    )
    tagged = {task.pk for task, pattern in known.items() if task.selection == Selection.TAG and pattern in key.tags}
    return Taking([task for task in known if task.pk in by_name | tagged], len(known) < len(found))


def _pattern_of(task: Task) -> str | None:
    """As its runs take it; None where only a webhook says."""
    if task.type != TaskType.WEBHOOK:
        return task.pattern
    try:
        return filled_pattern(task.pattern, {}, task.selection)
    except ValueError:
        return None


def _that_take(name: str, patterns: dict[Task, str]) -> set[int]:
    """The ids of the tasks of which the database says that their pattern takes a name, as it says when they run."""
    likes = [like(task.selection, pattern) for task, pattern in patterns.items()]
    with connection.cursor() as cursor:
        cursor.execute(_TAKING, [[task.pk for task in patterns], likes, name])
        return {task_id for (task_id,) in cursor.fetchall()}
