"""`exportWorkspace`: what an application has been told, as REST takes it, as JSON; secrets are stars.

A run belongs to an application, and knows of no other one of its workspace: each of them is exported by a run of its
own.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import import_string
from rest_framework.utils.encoders import JSONEncoder

from badgerjobs.lib.json_copies import length_of
from badgerjobs.lib.storable import cleaned
from badgerjobs.runs.fleet import database_now
from badgerjobs.workspaces.models import Application
from tasks.background import Params, background_task, private_background_task
from tasks.background.outputs import MOST_BYTES
from tasks.background.shipped.asking import application_of
from tasks.models import Selection, Task, TaskKey

# For what stands around the items of a part.
PART_BYTES = MOST_BYTES - 8 * 1024
# So many rows are read at once, and so many names stand under `left_out`.
ROWS, NAMED = 200, 100


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort of what is exported: its model, what REST shows of it, and by which field it is called.

    Named by where they are: those that import this package may not be imported by it.
    """

    model: str
    serializer: str
    called: str = "tag"


# In the order in which they can be made again.
SORTS: Mapping[str, Sort] = {
    "connections": Sort("jobs.models.Connection", "jobs.events.serializers.ConnectionSerializer"),
    "events": Sort("jobs.models.Event", "jobs.events.serializers.EventSerializer"),
    "jobs": Sort("jobs.models.Job", "jobs.serializers.JobSerializer"),
    "sources": Sort("badgerjobs.sources.models.DataSource", "badgerjobs.sources.serializers.SourceSerializer"),
    "keys": Sort("tasks.models.CacheKey", "tasks.keys.serializers.KeySerializer", "name"),
    "tasks": Sort("tasks.models.Task", "tasks.serializers.TaskSerializer"),
    "hooks": Sort("webhooks.models.Hook", "webhooks.serializers.HookSerializer"),
}


@background_task(
    id="exportWorkspace",
    title="Export the workspace",
    description="Writes jobs, events, connections, sources, keys, tasks and webhooks of the application as JSON, "
    "without secrets. What is too long for one output is in the outputs of its children.",
    max_iterations=1,
    timeout_s=900,
)
def export_workspace(params: Params) -> Any:
    """All of it in one output where it fits; else a child for each part. An iteration that is repeated finds those."""
    application = application_of(params)
    counts = dict.fromkeys(SORTS, 0)
    left_out: list[str] = []
    parts: list[dict[str, Any]] = []
    numbers: list[str] = []

    def told() -> dict[str, Any]:
        more = max(0, len(left_out) - NAMED)
        named = [*left_out[:NAMED], *([f"and {more:,} more"] if more else [])]
        return {"application": application.name, "counts": counts, "left_out": named}

    for part in _parts(application, counts, left_out):
        if parts:
            numbers.append(_child(params, parts.pop(), len(numbers) + 1))
        parts.append(part)
        params.store.progress(None, f"{sum(counts.values()):,} definitions")
        if params.is_aborted():
            return params.response.aborted()
    if not numbers:
        return params.response.done("Exported.", {**told(), "items": parts[0] if parts else {}})
    numbers.append(_child(params, parts.pop(), len(numbers) + 1))
    return params.response.done(f"Exported in {len(numbers):,} parts.", {**told(), "parts": numbers})


@private_background_task(id="exportWorkspacePart", title="Part of an export", max_iterations=1, database_logs=False)
def export_part(params: Params) -> Any:
    """Put a part where the outputs of tasks are."""
    params.store.update_input(lambda given: {"number": given["number"]})
    return params.response.done("Exported.", {"number": params.input["number"], "items": params.input["items"]})


def _child(params: Params, items: dict[str, Any], number: int) -> str:
    child = params.trigger("exportWorkspacePart", {"number": number, "items": items}, name=f"{params.name}, {number}")
    return str(child.id)


def _parts(application: Application, counts: dict[str, int], left_out: list[str]) -> Iterator[dict[str, Any]]:
    """What there is, in pieces that fit into an output each. What fits into none is named in `left_out`."""
    part: dict[str, Any] = {}
    size = 0
    for sort, one in _items(application):
        length = length_of(one) + len(sort) + 8
        if length > PART_BYTES:
            left_out.append(f"{sort}: {one.get(SORTS[sort].called)} has {length:,} bytes as JSON")
            continue
        if size + length > PART_BYTES:
            yield part
            part, size = {}, 0
        part.setdefault(sort, []).append(one)
        size += length
        counts[sort] += 1
    if part:
        yield part


def _items(application: Application) -> Iterator[tuple[str, dict[str, Any]]]:
    """Sort and document of each."""
    context = {"application": application, "now": database_now()}
    for sort, where in SORTS.items():
        serializer = import_string(where.serializer)(context=context)
        # What REST only gives, and would have to be counted, or is a secret, is no part of what somebody told.
        for name in [name for name, one in serializer.fields.items() if one.read_only]:
            del serializer.fields[name]
        for rows in _in_steps(import_string(where.model), application):
            for row in rows:
                yield sort, _plain(serializer.to_representation(row))


def _in_steps(model: Any, application: Application) -> Iterator[Sequence[Any]]:
    """All rows of the application by their ids, so many at a time."""
    rows = model.objects.for_application(application).order_by("pk")
    rows = rows.whole() if hasattr(rows, "whole") else rows
    found = list(rows[:ROWS])
    while found:
        for row in found:
            row.application = application
        _name_keys([row for row in found if isinstance(row, Task) and row.selection == Selection.EXACT])
        yield found
        found = list(rows.filter(pk__gt=found[-1].pk)[:ROWS])


def _name_keys(tasks: Sequence[Task]) -> None:
    """Say of each whose keys it fetches, all in one query."""
    names: dict[int, list[str]] = {task.pk: [] for task in tasks}
    rows = TaskKey.objects.filter(task__in=names).order_by("key__name").values_list("task_id", "key__name")
    for task_id, name in rows if names else ():
        names[task_id].append(name)
    for task in tasks:
        task.key_names = names[task.pk]  # type: ignore[attr-defined]


def _plain(shown: Mapping[str, Any]) -> dict[str, Any]:
    """As it stands in JSON."""
    plain: dict[str, Any] = cleaned(json.loads(json.dumps(shown, cls=JSONEncoder)))
    return plain
