"""Reading background tasks: for code, REST and GraphQL, in Webiny's words.

`where` maps a field, `definitionId`, or a field and how it is compared, `definitionId_in`, to what is looked for.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Case, CharField, Q, Value, When

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs.models import FINAL, State
from badgerjobs.web.cursors import BadCursorError, page_of
from badgerjobs.workspaces.models import Application
from tasks.background import errors
from tasks.background.errors import BackgroundTaskError
from tasks.background.log_reading import Log, logs
from tasks.background.refusing import bad_cursor, id_in, invalid
from tasks.background.snapshot import BackgroundTask, snapshot_of
from tasks.background.standing import ABORTED, FAILED, PENDING, RUNNING, STATUSES, SUCCESS
from tasks.models import BackgroundRun

__all__ = ["BackgroundTask", "Listed", "Log", "children", "get", "id_in", "list", "logs"]

# So many a page has, and may have; with the inputs and outputs, which may be long, fewer.
USUAL, MOST, MOST_WHOLE = 50, 1000, 100
MOST_CHILDREN = 10_000

_UNFINISHED = Q(run__state__in=[state for state in State if state not in FINAL])
STANDING: Mapping[str, Q] = {
    PENDING: _UNFINISHED & Q(run__started_at__isnull=True),
    RUNNING: _UNFINISHED & Q(run__started_at__isnull=False),
    SUCCESS: Q(run__state=State.SUCCEEDED),
    FAILED: Q(run__state=State.FAILED),
    ABORTED: Q(run__state=State.ABORTED),
}
# What is sorted by, and where it stands.
SORTS = {
    "createdOn": "pk",
    "id": "pk",
    "savedOn": "saved_at",
    "startedOn": "run__started_at",
    "finishedOn": "run__finished_at",
    "name": "name",
    "definitionId": "definition",
    "taskStatus": "standing",
}
FIRST_SORT = "createdOn_DESC"

_ONES = {
    "id": "pk",
    "definitionId": "definition",
    "parentId": "parent_id",
    "name": "name",
    "createdBy": "created_by__id",
}
_MOMENTS = {
    "createdOn": "created_at",
    "savedOn": "saved_at",
    "startedOn": "run__started_at",
    "finishedOn": "run__finished_at",
}
_COMPARED = ("gt", "gte", "lt", "lte")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """A page of a list. `cursor` leads to the next one, None where there is none; `total`: how many match in all.

    `total` is None where it was not asked for.
    """

    data: Sequence[T]
    cursor: str | None
    total: int | None

    def __iter__(self) -> Iterator[T]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)


def get(application: Application, id: BackgroundTask | UUID | str) -> BackgroundTask:  # noqa: A002  it is called so
    """One task. Raises BackgroundTaskError for one that is not there."""
    found = id_in(id)
    row = BackgroundRun.objects.for_application(application).filter(pk=found).whole().first()
    if row is None:
        raise BackgroundTaskError(errors.NOT_FOUND, f'Task "{found}" does not exist.', {"id": str(found)})
    return snapshot_of(row)


def children(
    application: Application, parent: BackgroundTask | UUID | str, definition: str | None = None
) -> Sequence[BackgroundTask]:
    """What a task has triggered, of one definition or of all, the oldest first."""
    rows = BackgroundRun.objects.for_application(application).filter(parent_id=id_in(parent)).whole()
    rows = rows.filter(definition=definition) if definition else rows
    return [snapshot_of(row) for row in rows.order_by("pk")[:MOST_CHILDREN]]


def list(  # noqa: A001, PLR0913  it is called so
    application: Application,
    *,
    where: Mapping[str, Any] | None = None,
    sort: Sequence[str] | str | None = None,
    limit: int | None = None,
    after: str | None = None,
    search: str | None = None,
    is_whole: bool = True,
    counts: bool = True,
) -> Listed[BackgroundTask]:
    """The tasks that match, the newest first. `search`: letters in the name. `sort`: `name_ASC`, say; ids decide ties.

    A page is asked for by the cursor of the one before it. Without inputs and outputs unless it `is_whole`; with the
    number of all that match if it `counts`. Raises BackgroundTaskError for what is asked for wrongly.
    """
    rows = BackgroundRun.objects.for_application(application)
    found = rows.filter(conditions(application, where or {}))
    found = found.filter(name__icontains=search) if search else found
    order, size = _order(sort), _size(limit, MOST_WHOLE if is_whole else MOST)
    shown = found.whole() if is_whole else found.brief()
    if order.endswith("standing"):
        shown = shown.annotate(standing=STATUS)
    try:
        page = page_of(shown, order=order, cursor=after or "", size=size, strict=True)
    except BadCursorError:
        raise bad_cursor() from None
    total = found.count() if counts else None
    return Listed([snapshot_of(row, is_whole=is_whole) for row in page.rows], page.later or None, total)


# The status of a row, to sort by.
STATUS = Case(
    *[When(where, then=Value(status)) for status, where in STANDING.items()],
    default=Value(ABORTED),
    output_field=CharField(),
)


def _order(sort: Sequence[str] | str | None) -> str:
    given = [sort] if isinstance(sort, str) else [*(sort or ())]
    asked = given[0] if given else FIRST_SORT
    name, _, way = asked.rpartition("_")
    if name not in SORTS or way not in {"ASC", "DESC"}:
        raise invalid("sort", f'It cannot be sorted by "{asked}": by {", ".join(SORTS)}, each with _ASC or _DESC.')
    return f"-{SORTS[name]}" if way == "DESC" else SORTS[name]


def _size(limit: Any, most: int) -> int:
    if limit is None:
        return USUAL
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= most:
        raise invalid("limit", f"The limit must be a whole number from 1 to {most:,}.")
    return limit


def conditions(application: Application, where: Mapping[str, Any]) -> Q:
    """What has to hold of those that match. Raises BackgroundTaskError for a name that is none, and a wrong value."""
    found = Q()
    for name, value in where.items():
        if value is None and name not in {"parentId", "parentId_not"}:
            continue  # GraphQL sends what was left empty
        field, _, way = name.partition("_")
        found &= _condition(application, name, field, way, value)
    return found


def _condition(application: Application, name: str, field: str, way: str, value: Any) -> Q:
    if field == "taskStatus" and way in _CHOICES:
        return _chosen(name, way, value, lambda status: _standing(application, name, status))
    if field in _ONES and way in _CHOICES:
        reads = _id if field in {"id", "parentId"} else str
        return _chosen(name, way, value, lambda one: Q(**{_ONES[field]: reads(one)}))
    if field == "name" and way == "contains":
        return Q(name__icontains=str(value))
    if field in _MOMENTS and way in _COMPARED:
        moment = _moment(name, value)
        compared = Q(**{f"{_MOMENTS[field]}__{way}": moment})
        # Ids are made in the order of time, and never before it.
        return compared & Q(pk__gte=uuid7_floor(moment)) if field == "createdOn" and way[0] == "g" else compared
    raise invalid(name, f'There is no condition "{name}". {_CONDITIONS}')


_CHOICES = ("", "not", "in", "not_in")
_CONDITIONS = (
    f"There are {', '.join(['taskStatus', *_ONES])}, each also with _not, _in and _not_in; name_contains; and "
    f"{', '.join(_MOMENTS)}, each with _gt, _gte, _lt or _lte."
)
MOST_NAMED = 1000


def _chosen(name: str, way: str, value: Any, condition: Callable[[Any], Q]) -> Q:
    """One of some, or none of them."""
    if way.endswith("in"):
        if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > MOST_NAMED:
            raise invalid(name, f"{name} must be a list of at most {MOST_NAMED:,}.")
        named = [*value]
    else:
        named = [value]
    found = Q(pk__in=[])
    for one in named:
        found |= condition(one) if one is not None else Q(parent_id__isnull=True)
    return ~found if way.startswith("not") else found


def _standing(application: Application, name: str, status: Any) -> Q:
    if status not in STATUSES:
        raise invalid(name, f"{name} must be one of {', '.join(STATUSES)}.")
    return STANDING[status] & Q(run__application=application)


def _id(given: Any) -> UUID:
    """An id that is none is nobody's."""
    try:
        return id_in(given)
    except BackgroundTaskError:
        return UUID(int=0)


def _moment(name: str, value: Any) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if isinstance(value, datetime) and value.tzinfo is not None:
        try:
            return value.astimezone(UTC)
        except OverflowError:
            value = None
    raise invalid(name, f"{name} must be a moment with its zone, like 2026-03-02T12:00:00Z.")
