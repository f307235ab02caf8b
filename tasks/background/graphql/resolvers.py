"""The questions and verbs of GraphQL about background tasks. What rows show by themselves is in `nodes.py`.

What Webiny's words refuse stands in `error`, in the place of `data`. A right that is missing does so too where
something is asked; where something would be done it is an error at the top, as with every verb: `SCOPES` says what is
looked at before anything is done.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from rest_framework.exceptions import PermissionDenied

from badgerjobs.lib.storable import is_storable
from badgerjobs.runs.fleet import database_now
from badgerjobs.web.graphql import Asker, Resolver, Size
from badgerjobs.web.problems import Invalid
from badgerjobs.workspaces.models import Scope
from tasks.background import reading, services
from tasks.background.definitions import public_definitions
from tasks.background.errors import BackgroundTaskError
from tasks.background.graphql.nodes import (
    Answered,
    DefinitionNode,
    ErrorNode,
    LogNode,
    MetaNode,
    TaskBatch,
    TaskNode,
    TasksOfLogs,
    loading,
)
from tasks.background.refusing import invalid
from tasks.background.snapshot import BackgroundTask

NOT_AUTHORIZED = "SECURITY_NOT_AUTHORIZED"
# How long lists are where no `limit` is given; and how many lines a log is taken to have.
USUAL, USUAL_OF_ONE, USUAL_LINES = 50, 100, 10

Answering = Callable[..., Answered]


def asks(resolve: Answering) -> Answering:
    """A question: whatever is refused, a missing right too, stands in its `error`."""

    @wraps(resolve)
    def answer(source: None, asker: Asker, **arguments: Any) -> Answered:
        if asker.texts.are_too_many:
            return Answered()
        if not asker.may(Scope.READ):
            return Answered(error=ErrorNode(asker.lacking(Scope.READ), NOT_AUTHORIZED))
        return _told(resolve, source, asker, arguments)

    return answer


def does(resolve: Answering, scope: Scope) -> Answering:
    """A verb, which needs this scope. Raises PermissionDenied for who lacks it; all else that is refused is told."""

    @wraps(resolve)
    def answer(source: None, asker: Asker, **arguments: Any) -> Answered:
        ensure_may(asker, scope)
        return _told(resolve, source, asker, arguments)

    return answer


def _told(resolve: Answering, source: None, asker: Asker, arguments: Mapping[str, Any]) -> Answered:
    try:
        return resolve(source, asker, **arguments)
    except BackgroundTaskError as error:
        return Answered(error=ErrorNode.of(error))


def ensure_may(asker: Asker, scope: Scope) -> None:
    """Raises PermissionDenied for who lacks this scope."""
    if not asker.may(scope):
        raise PermissionDenied(asker.lacking(scope))


def group(_: None, asker: Asker) -> Asker:
    """What the questions and verbs stand in holds nothing itself."""
    return asker


@asks
def get_task(_: None, asker: Asker, *, id: str) -> Answered:  # noqa: A002  it is called so
    return _one(asker, reading.get(asker.application, id))


@asks
def list_tasks(_: None, asker: Asker, **asked: Any) -> Answered:
    _ensure_storable(asked)
    counts = "WebinyBackgroundTaskMeta.totalCount" in asker.selected
    found = reading.list(asker.application, **asked, is_whole=False, counts=counts)
    return Answered(TaskBatch(asker, found).nodes, meta=MetaNode(found.cursor, found.total))


@asks
def list_definitions(_: None, __: Asker) -> Answered:
    return Answered([DefinitionNode(one) for one in public_definitions()])


@asks
def list_logs(_: None, asker: Asker, **asked: Any) -> Answered:
    _ensure_storable(asked)
    counts = "WebinyBackgroundTaskMeta.totalCount" in asker.selected
    found = reading.logs(asker.application, **asked, counts=counts, load=loading(asker))
    tasks = TasksOfLogs(asker, [log.task_id for log in found])
    return Answered([LogNode(log, tasks) for log in found], meta=MetaNode(found.cursor, found.total))


def logs_of_task(
    source: TaskNode,
    asker: Asker,
    *,
    where: Mapping[str, Any] | None = None,
    limit: float | None = None,
    sort: Any = None,
) -> list[LogNode]:
    ensure_may(asker, Scope.READ)
    most = USUAL_OF_ONE if limit is None else limit
    try:
        return source.batch.logs(source.task.id, where=where, limit=most, sort=sort)
    except BackgroundTaskError as error:
        raise Invalid(**_fields_of(error)) from None


def _fields_of(error: BackgroundTaskError) -> dict[str, str]:
    fields = error.data.get("invalidFields", {})
    return {name: str(one["message"]) for name, one in fields.items()} or {"where": error.message}


def trigger_task(_: None, asker: Asker, *, definition: str, **given: Any) -> Answered:
    made = services.trigger(
        asker.application,
        definition,
        given.get("input"),
        name=given.get("name") or "",
        delay=given.get("delay") or 0,
        by=asker.by,
        public_only=True,
        now=database_now(),
    )
    return _one(asker, made)


def abort_task(_: None, asker: Asker, *, id: str, message: str | None = None) -> Answered:  # noqa: A002
    return _one(asker, services.abort(asker.application, id, message=message or "", by=asker.by, now=database_now()))


def delete_task(_: None, asker: Asker, *, id: str) -> Answered:  # noqa: A002
    services.delete(asker.application, id, by=asker.by, now=database_now())
    return Answered(data=True)


def _one(asker: Asker, task: BackgroundTask) -> Answered:
    return Answered(TaskBatch(asker, [task], is_whole=True).nodes[0])


def _ensure_storable(asked: Mapping[str, Any]) -> None:
    """What no row can hold is not looked for. Raises BackgroundTaskError."""
    given = {**asked, **(asked.get("where") or {})}
    for name, value in given.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and not is_storable(text):
                raise invalid(name, "This holds a character that cannot be stored.")


VERBS: Mapping[str, tuple[Answering, Scope]] = {
    "WebinyBackgroundTaskMutation.triggerTask": (trigger_task, Scope.WRITE),
    "WebinyBackgroundTaskMutation.abortTask": (abort_task, Scope.WRITE),
    "WebinyBackgroundTaskMutation.deleteTask": (delete_task, Scope.BACKGROUND_DELETE),
}

RESOLVERS: Mapping[str, Resolver] = {
    "Query.backgroundTasks": group,
    "Mutation.backgroundTasks": group,
    "WebinyBackgroundTaskQuery.getTask": get_task,
    "WebinyBackgroundTaskQuery.listTasks": list_tasks,
    "WebinyBackgroundTaskQuery.listDefinitions": list_definitions,
    "WebinyBackgroundTaskQuery.listLogs": list_logs,
    **{place: does(verb, scope) for place, (verb, scope) in VERBS.items()},
    "WebinyBackgroundTask.logs": logs_of_task,
}

# What a mutation may name, and the scope that this needs: it is looked at before the first verb is done.
SCOPES: Mapping[str, Scope] = {
    **{place: scope for place, (_, scope) in VERBS.items()},
    "WebinyBackgroundTask.logs": Scope.READ,
}

# How long each list is where its `limit` is not given. The `data` of a page is as long as its question says.
SIZES: Mapping[str, Size] = {
    "WebinyBackgroundTaskQuery.listTasks": USUAL,
    "WebinyBackgroundTaskQuery.listLogs": USUAL,
    "WebinyBackgroundTaskListResponse.data": 1,
    "WebinyBackgroundTaskLogListResponse.data": 1,
    "WebinyBackgroundTaskListDefinitionsResponse.data": lambda _, __: len(public_definitions()),
    "WebinyBackgroundTask.logs": USUAL_OF_ONE,
    "WebinyBackgroundTaskLog.items": USUAL_LINES,
}
