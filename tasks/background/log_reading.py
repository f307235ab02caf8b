"""Reading what background tasks said: one log for each iteration that said something, with its lines as items."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from badgerjobs.lib import vault
from badgerjobs.runs.models import LogLine
from badgerjobs.workspaces.models import Application
from tasks.background.refusing import bad_cursor, id_in, invalid

USUAL, MOST = 50, 1000
# So many lines of a page's logs are read at the most, and so many logs counted.
MOST_ITEMS, MOST_COUNTED = 20_000, 10_000
# So many logs of one task, where those of several are read at once; and so many lines are held before they are weighed.
MOST_OF_ONE, STEP = 10_000, 500

# Is told of lines that were read, before more are; it may raise.
Load = Callable[[Sequence[LogLine]], object]


@dataclass(frozen=True, slots=True)
class Item:
    """A line. `type` is info or error; `error`: {message, code, data}, or None."""

    message: str
    created_at: datetime
    type: str
    data: Any
    error: Mapping[str, Any] | None
    attempt: int


@dataclass(frozen=True, slots=True)
class Log:
    """What an iteration said. Its id is the task's and the number of the iteration."""

    id: str
    task_id: UUID
    iteration: int
    created_at: datetime
    created_by: Mapping[str, Any]
    items: Sequence[Item]


@dataclass(frozen=True, slots=True)
class Logs:
    """A page. `cursor` leads to the next one; `total`, at most MOST_COUNTED, is None where it was not asked for."""

    data: Sequence[Log]
    cursor: str | None
    total: int | None

    def __iter__(self) -> Iterator[Log]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)


# Each of the conditions that may be asked for; those that are not have no part in the statement.
_TASKS = {
    "task": "b.run_id = ANY(%(task)s::uuid[])",
    "task_in": "b.run_id = ANY(%(task_in)s::uuid[])",
    "task_not": "NOT b.run_id = ANY(%(task_not)s::uuid[])",
    "task_not_in": "NOT b.run_id = ANY(%(task_not_in)s::uuid[])",
}
_ITERATIONS = {
    "iteration": "l.iteration = %(iteration)s",
    "iteration_not": "l.iteration <> %(iteration_not)s",
    "iteration_gt": "l.iteration > %(iteration_gt)s",
    "iteration_gte": "l.iteration >= %(iteration_gte)s",
    "iteration_lt": "l.iteration < %(iteration_lt)s",
    "iteration_lte": "l.iteration <= %(iteration_lte)s",
}
_SORTS = {"createdOn_DESC": ("DESC", "<"), "createdOn_ASC": ("ASC", ">")}

_FIND = """
SELECT b.run_id, l.iteration, min(l.created_at), (array_agg(b.created_by::text))[1]
FROM tasks_backgroundrun b JOIN runs_logline l ON l.run_id = b.run_id
WHERE b.application_id = %(application)s {where}
GROUP BY b.run_id, l.iteration ORDER BY b.run_id {way}, l.iteration {way} LIMIT %(limit)s
"""
_FIND_OF_EACH = """
SELECT b.run_id, f.iteration, f.at, b.created_by::text
FROM tasks_backgroundrun b CROSS JOIN LATERAL (
    SELECT l.iteration, min(l.created_at) AS at FROM runs_logline l WHERE l.run_id = b.run_id {where}
    GROUP BY l.iteration ORDER BY l.iteration {way} LIMIT %(limit)s
) AS f
WHERE b.application_id = %(application)s AND b.run_id = ANY(%(ids)s::uuid[])
ORDER BY b.run_id, f.iteration {way}
"""
_COUNT = """
SELECT count(*) FROM (
    SELECT 1 FROM tasks_backgroundrun b JOIN runs_logline l ON l.run_id = b.run_id
    WHERE b.application_id = %(application)s {where}
    GROUP BY b.run_id, l.iteration LIMIT %(limit)s
) AS found
"""


def logs(  # noqa: PLR0913
    application: Application,
    task: Any = None,
    *,
    where: Mapping[str, Any] | None = None,
    sort: Sequence[str] | str | None = None,
    limit: int | None = None,
    after: str | None = None,
    search: str | None = None,
    counts: bool = True,
    load: Load | None = None,
) -> Logs:
    """What a task said, or all of them: the newest task first, and of each the newest iteration first.

    `where`: task, task_in, task_not, task_not_in, iteration, and iteration_not, _gt, _gte, _lt, _lte. `search`: letters
    in one of its messages. Raises BackgroundTaskError for what is asked for wrongly.
    """
    asked = {**(where or {}), **({} if task is None else {"task": task})}
    clauses, values = _conditions(asked)
    if search:
        clauses.append("strpos(lower(l.message), lower(%(search)s)) > 0")
        values["search"] = search
    way, beyond = _way(sort)
    size = _size(limit, MOST)
    given: dict[str, Any] = {"application": application.pk, **values}
    place = _read(after)
    begun = [*clauses, f"(b.run_id, l.iteration) {beyond} (%(run)s::uuid, %(number)s)"] if place else clauses
    with connection.cursor() as cursor:
        more: dict[str, Any] = {"run": place[0], "number": place[1]} if place else {}
        cursor.execute(_FIND.format(where=_and(begun), way=way), {**given, **more, "limit": size + 1})
        found = cursor.fetchall()
        total = None
        if counts:
            cursor.execute(_COUNT.format(where=_and(clauses)), {**given, "limit": MOST_COUNTED})
            [total] = cursor.fetchone()
    rows = found[:size]
    later = _cursor(*rows[-1][:2]) if len(found) > size else None
    return Logs(_logs(rows, load), later, total)


def logs_of_each(  # noqa: PLR0913
    application: Application,
    ids: Sequence[UUID],
    *,
    where: Mapping[str, Any] | None = None,
    sort: Sequence[str] | str | None = None,
    limit: int | None = None,
    load: Load | None = None,
) -> dict[UUID, list[Log]]:
    """The same of each of these tasks, `limit` logs of each at the most; none of what is not this application's."""
    clauses, values = _conditions(where or {})
    way, _ = _way(sort)
    given = {**values, "application": application.pk, "ids": [*ids], "limit": _size(limit, MOST_OF_ONE)}
    with connection.cursor() as cursor:
        cursor.execute(_FIND_OF_EACH.format(where=_and(clauses), way=way), given)
        rows = cursor.fetchall()
    found: dict[UUID, list[Log]] = {}
    for log in _logs(rows, load):
        found.setdefault(log.task_id, []).append(log)
    return found


def _logs(rows: Sequence[tuple[UUID, int, datetime, str]], load: Load | None) -> list[Log]:
    items: dict[tuple[UUID, int], list[Item]] = {(run_id, iteration): [] for run_id, iteration, _, _ in rows}
    runs, iterations = [run_id for run_id, _ in items], [iteration for _, iteration in items]
    pairs = "(run_id, iteration) IN (SELECT * FROM unnest(%s::uuid[], %s::int[]))"
    lines = LogLine.objects.filter(
        RawSQL(pairs, [runs, iterations], BooleanField()),  # noqa: S611  it is ours, and the values are given apart
        run_id__in=set(runs),
    )
    for line in _in_steps(lines, load) if rows else ():
        items[line.run_id, line.iteration].append(item_of(line))
    return [
        Log(f"{run_id}-{iteration}", run_id, iteration, at, json.loads(by), items[run_id, iteration])
        for run_id, iteration, at, by in rows
    ]


def _in_steps(lines: QuerySet[LogLine], load: Load | None) -> Iterator[LogLine]:
    """The first of them; with `load` in steps, as it may find that those which were read are enough."""
    size, left = STEP if load else MOST_ITEMS, MOST_ITEMS
    last: Any = 0
    while left > 0:
        step = [*lines.filter(pk__gt=last).order_by("pk")[: min(size, left)]]
        if load:
            load(step)
        yield from step
        if len(step) < size:
            return
        left, last = left - len(step), step[-1].pk


def item_of(line: LogLine) -> Item:
    """A line as Webiny has it. The data of an error is {data, error}."""
    data, error = line.data, None
    if line.level != "info" and isinstance(data, dict) and "error" in data:
        error = data["error"] if isinstance(data["error"], dict) else None
        data = data.get("data")
    kind = "error" if line.level == "error" else "info"
    return Item(line.message, line.created_at, kind, data, error, line.attempt)


def _conditions(where: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
    clauses: list[str] = []
    values: dict[str, Any] = {}
    for name, value in where.items():
        if value is None:
            continue
        if name in _TASKS:
            clauses.append(_TASKS[name])
            values[name] = _tasks(name, value)
        elif name in _ITERATIONS:
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
                raise invalid(name, f"{name} must be a whole number.")
            clauses.append(_ITERATIONS[name])
            values[name] = value
        else:
            raise invalid(name, f'There is no condition "{name}". There are {", ".join([*_TASKS, *_ITERATIONS])}.')
    return clauses, values


def _tasks(name: str, value: Any) -> list[UUID]:
    if not name.endswith("_in"):
        return [id_in(value)]
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > MOST:
        raise invalid(name, f"{name} must be a list of at most {MOST:,}.")
    return [id_in(one) for one in value]


def _and(clauses: Sequence[str]) -> str:
    return "".join(f" AND {clause}" for clause in clauses)


def _way(sort: Sequence[str] | str | None) -> tuple[str, str]:
    given = [sort] if isinstance(sort, str) else [*(sort or ())]
    asked = given[0] if given else "createdOn_DESC"
    if asked not in _SORTS:
        raise invalid("sort", f'It cannot be sorted by "{asked}": by {" or ".join(_SORTS)}.')
    return _SORTS[asked]


def _size(limit: Any, most: int) -> int:
    if limit is None:
        return USUAL
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= most:
        raise invalid("limit", f"The limit must be a whole number from 1 to {most:,}.")
    return limit


def _cursor(run_id: UUID, iteration: int) -> str:
    told = json.dumps(["background logs", str(run_id), iteration])
    return vault.encrypt(told, settings.ENCRYPTION_KEYS).rstrip("=")


def _read(cursor: str | None) -> tuple[UUID, int] | None:
    """Where a page begins; None: the first one. Raises BackgroundTaskError for a cursor that is none of ours."""
    if not cursor:
        return None
    try:
        what, run_id, iteration = json.loads(vault.decrypt(cursor + "=" * (-len(cursor) % 4), settings.ENCRYPTION_KEYS))
        if what == "background logs":
            return UUID(run_id), int(iteration)
    except (vault.CannotDecryptError, ValueError, TypeError):
        pass
    raise bad_cursor()
