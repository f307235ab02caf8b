"""What GraphQL shows of background tasks: each field of a type is an attribute here, in our spelling.

Rows come in batches. What one of a batch is asked for that needs the database is looked up for all of it at once.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import F, Func, IntegerField, Sum, TextField
from django.db.models.functions import Cast, Coalesce

from badgerjobs.runs.models import Run
from badgerjobs.web.graphql import Asker, moment, size_of
from tasks.background.definitions import Definition
from tasks.background.errors import BackgroundTaskError
from tasks.background.inputs import schema_of
from tasks.background.log_reading import Item, Log, logs_of_each
from tasks.background.snapshot import BackgroundTask, snapshot_of
from tasks.models import BackgroundRun

VALUES = ("input", "output")
# A line of a log holds this much beside its texts.
_LINE_BYTES = 500


@dataclass(frozen=True, slots=True)
class ErrorNode:
    message: str
    code: str
    data: Any = None
    stack: None = None

    @classmethod
    def of(cls, error: BackgroundTaskError) -> "ErrorNode":
        """What is told of it."""
        return cls(error.message, error.code, error.data or None)


@dataclass(frozen=True, slots=True)
class MetaNode:
    cursor: str | None
    total: int | None

    @property
    def has_more_items(self) -> bool:
        return self.cursor is not None

    @property
    def total_count(self) -> int:
        return self.total or 0


@dataclass(frozen=True, slots=True)
class Answered:
    """`data`, or the `error` in its place; with `meta` of a list."""

    data: Any = None
    error: ErrorNode | None = None
    meta: MetaNode | None = None


class IdentityNode:
    def __init__(self, asker: Asker, who: Mapping[str, Any]) -> None:
        self._asker, self._who = asker, who
        self.type = who.get("type")

    @property
    def id(self) -> str:
        return self._asker.texts.tell(str(self._who.get("id", ""))) or ""

    @property
    def display_name(self) -> str:
        return self._asker.texts.tell(str(self._who.get("displayName", ""))) or ""


class DefinitionNode:
    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self.id, self.title, self.description = definition.id, definition.title, definition.description or None
        self.fields: Sequence[Any] = []

    @property
    def input_schema(self) -> Any:
        return schema_of(self._definition)


class TaskBatch:
    """Tasks that were found together, with their inputs and outputs or without."""

    def __init__(self, asker: Asker, tasks: Iterable[BackgroundTask], *, is_whole: bool = False) -> None:
        self.asker = asker
        self.nodes = [TaskNode(task, self) for task in tasks]
        self._logs: dict[str, dict[UUID, list[LogNode]]] = {}
        if is_whole:
            self.values = {node.task.id: (node.task.input, node.task.output) for node in self.nodes}
            asker.texts.load(sum(size_of(_text(value)) for both in self.values.values() for value in both))

    @cached_property
    def by_id(self) -> dict[UUID, "TaskNode"]:
        return {node.task.id: node for node in self.nodes}

    @cached_property
    def values(self) -> dict[UUID, tuple[Any, Any]]:
        """Input and output of each, as far as somebody asks for them. Raises Invalid for too many bytes."""
        names = [name for name in VALUES if f"WebinyBackgroundTask.{name}" in self.asker.selected]
        rows = Run.objects.for_application(self.asker.application).filter(pk__in=list(self.by_id))
        lengths = [Coalesce(_bytes_of(name), 0) for name in names]
        held = rows.aggregate(**{name: Sum(length) for name, length in zip(names, lengths, strict=True)})
        self.asker.texts.load(sum(length or 0 for length in held.values()))
        found = rows.values("pk", *names)
        return {row["pk"]: (row.get("input") or {}, row.get("output")) for row in found}

    def logs(self, task_id: UUID, **asked: Any) -> list["LogNode"]:
        """What one of them said. Raises BackgroundTaskError for what is asked for wrongly."""
        if self.asker.texts.are_too_many:
            return []
        key = json.dumps(asked, sort_keys=True, default=str)
        if key not in self._logs:
            found = logs_of_each(self.asker.application, list(self.by_id), load=loading(self.asker), **asked)
            self._logs[key] = {id: [LogNode(log, self) for log in logs] for id, logs in found.items()}  # noqa: A001
        return self._logs[key].get(task_id, [])


def _bytes_of(name: str) -> Func:
    return Func(Cast(F(name), TextField()), function="octet_length", output_field=IntegerField())


def loading(asker: Asker) -> Any:
    """What counts the lines of logs as they are read. Raises Invalid for too many bytes."""
    return lambda lines: asker.texts.load(sum(_LINE_BYTES + size_of(one.message + _text(one.data)) for one in lines))


class TasksOfLogs:
    """The tasks of logs that were found without them."""

    def __init__(self, asker: Asker, ids: Iterable[UUID]) -> None:
        self.asker, self._ids = asker, set(ids)

    @cached_property
    def by_id(self) -> dict[UUID, "TaskNode"]:
        if self.asker.texts.are_too_many:
            return {}
        rows = BackgroundRun.objects.for_application(self.asker.application).filter(pk__in=self._ids).brief()
        return TaskBatch(self.asker, [snapshot_of(row, is_whole=False) for row in rows]).by_id


class TaskNode:
    __slots__ = ("batch", "task")
    event_response = None

    def __init__(self, task: BackgroundTask, batch: TaskBatch) -> None:
        self.task, self.batch = task, batch

    @property
    def id(self) -> str:
        return str(self.task.id)

    @property
    def name(self) -> str | None:
        return self.batch.asker.texts.tell(self.task.name)

    @property
    def definition_id(self) -> str | None:
        return self.batch.asker.texts.tell(self.task.definition_id)

    @property
    def execution_name(self) -> str | None:
        name = f"{self.task.definition_id}_{self.task.id}" if self.task.started_at else ""
        return self.batch.asker.texts.tell(name)

    @property
    def created_on(self) -> str | None:
        return moment(self.task.created_at)

    @property
    def saved_on(self) -> str | None:
        return moment(self.task.saved_at)

    @property
    def started_on(self) -> str | None:
        return moment(self.task.started_at)

    @property
    def finished_on(self) -> str | None:
        return moment(self.task.finished_at)

    @property
    def created_by(self) -> IdentityNode:
        return IdentityNode(self.batch.asker, self.task.created_by)

    @property
    def task_status(self) -> str:
        return self.task.status

    @property
    def iterations(self) -> int:
        return self.task.iterations

    @property
    def parent_id(self) -> str | None:
        return str(self.task.parent_id) if self.task.parent_id else None

    @property
    def progress(self) -> float | None:
        return self.task.progress

    @property
    def progress_message(self) -> str | None:
        return self.batch.asker.texts.tell(self.task.progress_message or None)

    @property
    def input(self) -> Any:
        return self._value(0)

    @property
    def output(self) -> Any:
        return self._value(1)

    def _value(self, place: int) -> Any:
        asker = self.batch.asker
        if asker.texts.are_too_many:
            return None
        both = self.batch.values.get(self.task.id)
        return told(asker, both[place]) if both else None


class LogNode:
    __slots__ = ("_log", "_tasks")

    def __init__(self, log: Log, tasks: TaskBatch | TasksOfLogs) -> None:
        self._log, self._tasks = log, tasks

    @property
    def id(self) -> str:
        return self._log.id

    @property
    def created_on(self) -> str | None:
        return moment(self._log.created_at)

    @property
    def created_by(self) -> IdentityNode:
        return IdentityNode(self._tasks.asker, self._log.created_by)

    @property
    def execution_name(self) -> str | None:
        return self.task.execution_name if self.task else None

    @property
    def iteration(self) -> int:
        return self._log.iteration

    @property
    def task(self) -> TaskNode | None:
        return self._tasks.by_id.get(self._log.task_id)

    @property
    def items(self) -> list["ItemNode"]:
        return [ItemNode(item, self._tasks.asker) for item in self._log.items]


class ItemNode:
    __slots__ = ("_asker", "_item")

    def __init__(self, item: Item, asker: Asker) -> None:
        self._item, self._asker = item, asker

    @property
    def message(self) -> str:
        return self._asker.texts.tell(self._item.message) or ""

    @property
    def created_on(self) -> str | None:
        return moment(self._item.created_at)

    @property
    def type(self) -> str:
        return self._item.type

    @property
    def data(self) -> Any:
        return told(self._asker, self._item.data)

    @property
    def error(self) -> Any:
        error = self._item.error
        return told(self._asker, error and {name: value for name, value in error.items() if name != "stack"})


def told(asker: Asker, value: Any) -> Any:
    """JSON, for the answer. Raises Invalid when that would hold too much."""
    return value if value is not None and asker.texts.tell(_text(value)) is not None else None


def _text(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
