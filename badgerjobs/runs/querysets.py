"""Reading what the engine keeps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from django.db.models import Count, F, JSONField, Q, Value
from django.db.models.expressions import CombinedExpression

from badgerjobs.runs.kinds import OWN_KINDS
from badgerjobs.workspaces.querysets import OwnedQuerySet

if TYPE_CHECKING:
    from badgerjobs.runs.models import Attempt, Run, Runnable
    from badgerjobs.workspaces.models import Application

WAITING = ("scheduled", "retrying")
# The same as `RunQuerySet.unfinished`, in the words of the partial indexes, which hold no finished run.
UNFINISHED = "(state = 'queued' AND NOT held OR held OR state = 'running' OR state IN ('scheduled', 'retrying'))"


_UNFINISHED = Q(state="queued", held=False) | Q(held=True) | Q(state="running") | Q(state__in=WAITING)
# What is done with many runs is done with these.
OTHERS = ~Q(kind__in=OWN_KINDS)


class RunnableQuerySet(OwnedQuerySet["Runnable"]):
    def ids_named(self, name: str) -> list[int]:
        """Which these are, to look for their runs by id: a join by name would walk all runs there are."""
        return list(self.filter(name=name).values_list("pk", flat=True))

    def ids_called(self, letters: str, *others: Any) -> list[int]:
        """Those with these letters in their name, in any case, and those that are among others: queries for ids."""
        meant = Q(name__icontains=letters)
        for other in others:
            meant |= Q(pk__in=other)
        return list(self.filter(meant).order_by("pk").values_list("pk", flat=True))

    def planned(self) -> RunnableQuerySet:
        """Those that will run by themselves."""
        return self.filter(next_run_at__isnull=False)


class RunQuerySet(OwnedQuerySet["Run"]):
    def for_application(self, application: Application) -> Self:
        """Only the runs that this application owns, without those that are left of a deleted runnable.

        Runs of code have no runnable. The join is the one that shows the runnable's name.
        """
        return super().for_application(application).filter(Q(runnable=None) | Q(runnable__kind__isnull=False))

    def of(self, runnable_id: int) -> RunQuerySet:
        return self.filter(runnable_id=runnable_id)

    def others(self) -> RunQuerySet:
        """Without what tells people of troubles or calls hooks, which is none of what is meant by many runs."""
        return self.filter(OTHERS)

    def with_story(self) -> RunQuerySet:
        """With the attempts and the log of each, in their order: two queries more, however many runs there are."""
        return self.prefetch_related("tries", "log")

    def unfinished(self) -> RunQuerySet:
        """Waiting or running: what the API calls runners.

        In the words of the partial indexes, which hold no finished run: one list of all four states would walk history.
        """
        return self.filter(_UNFINISHED)

    def running_runnables(self) -> list[int]:
        """The ids of those of which something runs now: no more than there are slots in the fleet.

        Ids, and not a query: a join would walk the history of each.
        """
        running = self.filter(state="running").order_by("runnable_id")
        return list(running.values_list("runnable_id", flat=True).distinct())

    def with_error(self, classes: Iterable[str]) -> RunQuerySet:
        """Those whose last attempt, or else their end, was bad in one of these ways.

        In the words of the partial indexes, which hold none that succeeded.
        """
        return self.filter(Q(state__in=("failed", "aborted")) | _UNFINISHED, error_class__in=list(classes))

    def not_run(self, reasons: Iterable[str]) -> RunQuerySet:
        """The rows of occurrences that were skipped for one of these reasons."""
        return self.filter(state="skipped", skip_reason__in=list(reasons))


class AttemptQuerySet(OwnedQuerySet["Attempt"]):
    def of(self, runnable_id: int) -> AttemptQuerySet:
        return self.filter(runnable_id=runnable_id)

    def in_brief(self) -> AttemptQuerySet:
        """With their results as `brief`: without the bodies, which may be long."""
        brief = CombinedExpression(F("result"), "-", Value("body"), output_field=JSONField())
        return self.defer("result").annotate(brief=brief)

    def counts(self, runnable_ids: Iterable[int]) -> dict[int, tuple[int, int]]:
        """Runnable → (how many results were good, how many were not), in one query; absent where there is none."""
        rows = (
            self.filter(runnable_id__in=list(runnable_ids))
            .values("runnable_id")
            .annotate(good=Count("pk", filter=Q(ok=True)), bad=Count("pk", filter=Q(ok=False)))
            .values_list("runnable_id", "good", "bad")
        )
        return {runnable: (good, bad) for runnable, good, bad in rows}
