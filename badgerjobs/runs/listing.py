"""The runs that a list shows: found by ids in the order of time, a page at a time, however many there are.

What many runs have in common (that they succeeded, say) is found by walking the newest; what few have, by indexes that
hold nothing else. A walk has an end: who looks for one in a million is told how far was looked, and looks further.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import BooleanField, Exists, F, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Greatest

from badgerjobs.runs.filters import RunFilters
from badgerjobs.runs.models import FINAL, Attempt, Run, State
from badgerjobs.runs.querysets import OTHERS
from badgerjobs.runs.shown import entitle, entitle_alone, owners_called, shown_as
from badgerjobs.web.bulk_question import Span
from badgerjobs.workspaces.models import Application

PAGE = 50
# How many rows a walk looks at.
WALK = 20_000
# The runs of so many jobs are looked up job by job; of more, by walking those of all.
OWNERS = 8

# Any run.
ALL = Q()

UNFINISHED = [state for state in State if state not in FINAL]


@dataclass(frozen=True, slots=True)
class Page:
    """Some runs, newest first, and where the pages before and after begin. `looked_to`: how far a walk came."""

    runs: list[Run]
    older: UUID | None = None
    newer: UUID | None = None
    looked_to: datetime | None = None


def page_of(
    application: Application, filters: RunFilters, *, before: UUID | None = None, after: UUID | None = None
) -> Page:
    """One page: what is older than `before`, or newer than `after`, or the newest."""
    search = Search(application, filters, upwards=after is not None, start=after or before)
    found = search.ids(PAGE + 1)
    has_more, ids = len(found) > PAGE, found[:PAGE]
    if after:
        if not has_more:
            return page_of(application, filters)  # the beginning has been reached
        ids.reverse()
        return Page(_rows(application, ids), older=ids[-1], newer=ids[0])
    rows = _rows(application, ids)
    newer = (ids[0] if ids else None) if before else None
    if has_more:
        return Page(rows, older=ids[-1], newer=newer)
    edge = search.edge
    return Page(rows, older=edge, newer=newer, looked_to=made_at(edge) if edge else None)


# Those that nobody has replayed. A replay that was aborted counts for none; one that failed stands for what it repeats.
UNREPLAYED = Q(~Exists(Run.objects.filter(replay_of=OuterRef("pk")).exclude(state=State.ABORTED)))


def ids_of(  # noqa: PLR0913
    application: Application,
    filters: RunFilters,
    states: Iterable[State],
    limit: int,
    *,
    span: Span | None = None,
    also: Q = ALL,
) -> list[UUID]:
    """The newest that match, as far as they are in one of these states too; of those in the span, if there is one.

    `also` has to hold of them, too. For what is done with many runs, and so without notices.
    """
    asked = [state for state in states if not filters.states or state in filters.states]
    where = [OTHERS, also, *([Q(id__gte=span[0], id__lte=span[1])] if span else [])]
    return Search(application, filters, states=asked, walks=False, where=where).ids(limit) if asked else []


class Search:
    """How runs are looked for. `edge` is the last run that a walk looked at; None where it saw all."""

    def __init__(  # noqa: PLR0913  what is looked for, where it begins and how far it goes
        self,
        application: Application,
        filters: RunFilters,
        *,
        states: Sequence[str] | None = None,
        upwards: bool = False,
        start: UUID | None = None,
        walks: bool = True,
        where: Sequence[Q] = (),
    ) -> None:
        self.edge: UUID | None = None
        self._order = "id" if upwards else "-id"
        self._ahead, self._back = ("gt", "lte") if upwards else ("lt", "gte")
        asked = list(filters.searched_states if states is None else states)
        # Those that succeeded are nearly all: no index holds them by state.
        self._by_state = asked if State.SUCCEEDED not in asked else []
        self._application = application
        self._where = [*where, *(Q(**{name: value}) for name, value in filters.moments().items())]
        if start:
            self._where.append(Q(**{f"id__{self._ahead}": start}))
        name = filters.cleaned_data.get("name")
        owners = owners_called(application, name) if name else []
        has_many = len(owners) > OWNERS
        self._owners: Sequence[int | None] = owners if name and not has_many else [None]
        conditions = filters.conditions()
        if asked and not self._by_state:
            conditions["state__in"] = asked
        if (conditions or has_many) and walks:
            last = self._found(WALK - 1, WALK + 1)
            if len(last) > 1:
                self.edge = last[0]
                self._where.append(Q(**{f"id__{self._back}": self.edge}))
        self._where += [Q(**{name: value}) for name, value in conditions.items()]
        if has_many:  # one array: thousands of numbers in a list of their own take long to plan
            self._where.append(Q(RawSQL("runs_run.runnable_id = ANY(%s)", [owners], BooleanField())))

    def ids(self, limit: int) -> list[UUID]:
        """At most so many, in the order of the search."""
        return self._found(0, limit)

    def _found(self, first: int, last: int) -> list[UUID]:
        parts = [self.part(state, owner)[:last] for state in self._by_state or [""] for owner in self._owners]
        if len(parts) > 1:
            return list(parts[0].union(*parts[1:], all=True).order_by(self._order)[first:last])
        return list(parts[0][first:last]) if parts else []

    def part(self, state: str = "", owner: int | None = None) -> QuerySet[Run, UUID]:
        """The ids of those in one state, or in any, and of one runnable, or of any, in the order of the search."""
        where = [*self._where, Q(runnable_id=owner)] if owner else self._where
        if state not in UNFINISHED:
            runs = Run.objects.for_application(self._application).filter(*where)
            return (runs.filter(state=state) if state else runs).order_by(self._order).values_list("id", flat=True)
        # Their indexes are not in the order of ids. Without this key the database may take the one that is, and walk
        # through everything for the few that wait. What is deleted leaves none of them: there is nothing to join.
        runs = Run.objects.filter(*where, application=self._application, state=state)
        key = Greatest(F("id"), F("id"))
        return runs.order_by(key.asc() if self._order == "id" else key.desc()).values_list("id", flat=True)


def _rows(application: Application, ids: Sequence[UUID]) -> list[Run]:
    """The runs with these ids, in this order, with what a list says of each: `answer`."""
    runs = Run.objects.for_application(application).filter(pk__in=ids).select_related("runnable")
    rows = {run.pk: run for run in runs.defer("input", "output")}
    entitle([run.runnable for run in rows.values()])
    entitle_alone(rows.values())
    answers = _answers([run for run in rows.values() if run.attempts])
    for run in rows.values():
        run.answer = answers.get(run.pk, "")  # type: ignore[attr-defined]
    return [rows[pk] for pk in ids if pk in rows]


def _answers(runs: Sequence[Run]) -> dict[UUID, str]:
    """The last answer to each, or what was wrong with it."""
    last = {run.pk: run for run in runs}
    attempts = Attempt.objects.filter(run_id__in=list(last)).in_brief()
    return {one.run_id: _answer(last[one.run_id], one) for one in attempts if one.number == last[one.run_id].attempts}


def _answer(run: Run, last: Attempt) -> str:
    brief = last.brief or {}  # type: ignore[attr-defined]  # an annotation
    return shown_as(run.kind).answer(brief, last.error_class) or last.error


def made_at(run_id: UUID) -> datetime:
    """When the run with this id was made: ids of version 7 begin with the time."""
    return datetime.fromtimestamp((run_id.int >> 80) / 1000, UTC)
