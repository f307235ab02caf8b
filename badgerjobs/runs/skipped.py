"""Occurrences that were not run, in words: which they are, how many, why, and what became of them since."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from django.db.models import Count, OuterRef, QuerySet

from badgerjobs.lib import words
from badgerjobs.runs.models import Run, SkipReason, State

WHY: Mapping[str, str] = {
    SkipReason.OVERLAP: "the run before was not over",
    SkipReason.MISSED: "nothing was dispatched then",
    SkipReason.PAUSED: "it was paused",
}
# The same as a filter has it.
BRIEFLY: Mapping[str, str] = {
    SkipReason.OVERLAP: "run before not over",
    SkipReason.MISSED: "missed",
    SkipReason.PAUSED: "paused",
}

DASH = "\N{EN DASH}"


def counted(run: Run) -> str:
    """`12 occurrences`."""
    return words.counted(run.skipped_count or 1, "occurrence")


def span(run: Run, zone: tzinfo) -> str:
    """`08:00-09:50`, with the days where they are not one; one moment where it is one."""
    first, last = ends(run)
    if not _are_of_one_day(run, zone):
        return f"{_exact(first, zone)} {DASH} {_exact(last, zone)}"
    return words.clock(first, zone) + (f"{DASH}{words.clock(last, zone)}" if last != first else "")


def ends(run: Run) -> tuple[datetime, datetime]:
    """The first and the last of them."""
    first = run.occurrence or run.created_at
    return first, run.skipped_until or first


def line(run: Run, zone: tzinfo) -> str:
    """`12 occurrences · 08:00-09:50 · the run before was not over`."""
    return " · ".join([counted(run), span(run, zone), WHY.get(run.skip_reason, "it was not run")])


def story(run: Run, zone: tzinfo) -> str:
    """`12 occurrences, Mon 2 Mar 08:00-09:50, were not run: the run before was not over.`"""
    day = f"{words.day(ends(run)[0], zone)} " if _are_of_one_day(run, zone) else ""
    verb = "was" if (run.skipped_count or 1) == 1 else "were"
    why = WHY.get(run.skip_reason)
    return f"{counted(run)}, {day}{span(run, zone)}, {verb} not run{f': {why}' if why else ''}."


def _are_of_one_day(run: Run, zone: tzinfo) -> bool:
    first, last = ends(run)
    return first.astimezone(zone).date() == last.astimezone(zone).date()


def _exact(moment: datetime, zone: tzinfo) -> str:
    return f"{words.day(moment, zone)} {words.clock(moment, zone)}"


def since(run: Run) -> str:
    """`2 of them have been run since.`"""
    count, is_one = run_since(run), (run.skipped_count or 1) == 1
    if is_one:
        return "It has been run since." if count else "It has not been run since."
    return f"{f'{count:,}' if count else 'None'} of them {'have' if count > 1 else 'has'} been run since."


def runs_since() -> QuerySet[Run, Any]:
    """The same in a query for such rows, as a part of it; null for none."""
    given = (OuterRef("occurrence"), OuterRef("skipped_until"))
    runs = Run.objects.filter(runnable=OuterRef("runnable"), occurrence__range=given).exclude(state=State.SKIPPED)
    return runs.order_by().values("runnable").annotate(ran=Count("pk")).values("ran")


def run_since(run: Run) -> int:
    """How many of the occurrences of this row have been run all the same: each has one run at the most."""
    first, last = ends(run)
    runs = Run.objects.of(run.runnable_id or 0).filter(occurrence__range=(first, last))
    return runs.exclude(state=State.SKIPPED).count()
