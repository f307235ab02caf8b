"""Past occurrences that were never run, run now: because they were missed, skipped, or before anybody planned them."""

from datetime import datetime, timedelta

from django.db import transaction

from badgerjobs.lib.schedule_fields import out_of_reach
from badgerjobs.runs import making
from badgerjobs.runs.models import Run, Runnable, SkipReason, State
from badgerjobs.runs.schedules import is_through, occurrence_of
from badgerjobs.runs.worker import ring_after_commit
from badgerjobs.web.problems import Conflict, Invalid

# So many occurrences one request may run: their rows are made in one statement.
MOST = 10_000
_INSTANT = timedelta(microseconds=1)


def runs_to_make(
    runnable: Runnable, *, since: datetime, until: datetime, now: datetime, missed: bool = False
) -> list[datetime]:
    """List the occurrences from `since` up to but not at `until`, and not after now, that have no run; oldest first.

    Those that were skipped have none; one that was aborted is one, and is replayed. What its schedule has yet to run
    is not among them, be it that it has come and waits for its place in the spread, nor what came after its last run.
    `missed`: only those that were skipped because nothing was dispatched. Raises Invalid for a range in which more than
    MOST of them lie, and for one that is beyond the calendar of schedules.
    """
    far = {name: out_of_reach(moment, now) for name, moment in (("since", since), ("until", until))}
    if errors := {name: said for name, said in far.items() if said}:
        raise Invalid(**errors)
    if until <= since:
        raise Invalid(until="The end must be after the beginning: give a later one.")
    end = min(until - _INSTANT, now, _decided_until(runnable) or now)
    spans = _missed(runnable, since, end) if missed else [(since, end)]
    found = [one for first, last in spans if (one := runnable.schedule.missed(first - _INSTANT, last))]
    if not found:
        return []
    count = sum(one.count for one in found)
    if count > MOST:
        raise Invalid(until=f"There are {count:,} occurrences in that time: at most {MOST:,} can be run at once.")
    occurrences = [at for one in found for at in runnable.schedule.upcoming(one.first - _INSTANT, one.count)]
    with_run = Run.objects.of(runnable.pk).exclude(state=State.SKIPPED)
    if not runnable.schedule.is_recurring and with_run.filter(occurrence__gte=runnable.run_at).exists():
        return []  # it ran later than it was to, or once more after that was aborted
    taken = set(
        with_run.filter(occurrence__range=(found[0].first, found[-1].last)).values_list("occurrence", flat=True)
    )
    return [moment for moment in occurrences if moment not in taken]


def _missed(runnable: Runnable, since: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """From when to when its occurrences were skipped because nothing was dispatched, as far as it is in this time."""
    rows = Run.objects.of(runnable.pk).filter(state=State.SKIPPED, skip_reason=SkipReason.MISSED)
    found = rows.filter(occurrence__lte=end, skipped_until__gte=since).order_by("occurrence")
    spans = found.values_list("occurrence", "skipped_until")
    return [(max(first, since), min(last, end)) for first, last in spans if first and last]


def _decided_until(runnable: Runnable) -> datetime | None:
    """Up to where its schedule has decided what is run; None: it has decided on all that has come."""
    if following := occurrence_of(runnable):
        return following - _INSTANT
    return runnable.planned_at or runnable.last_run_at if is_through(runnable) else None


def backfill(  # noqa: PLR0913
    *,
    runnable: Runnable,
    since: datetime,
    until: datetime,
    now: datetime,
    per_minute: int | None = None,
    missed: bool = False,
) -> int:
    """Run the past occurrences of this time that have no run, or only the `missed`. Returns how many they are.

    They are runs like those of the schedule, and count neither towards its last run nor move it. They go one after the
    other, unless its runs may be beside each other; at most so many a minute, if that is given. Raises Invalid, and
    Conflict when it was deleted meanwhile.
    """
    try:
        with transaction.atomic():
            held = Runnable.objects.select_for_update(no_key=True).get(pk=runnable.pk)
            occurrences = runs_to_make(held, since=since, until=until, now=now, missed=missed)
            if occurrences:
                step = 60 / per_minute if per_minute else 0
                for queue in set(making.backfill(held.pk, occurrences, now=now, step=step)):
                    ring_after_commit(queue)
    except Runnable.DoesNotExist:
        raise Conflict("It was deleted in the meantime.") from None
    return len(occurrences)
