"""Past occurrences that were never run, run now: because they were missed, skipped, or before anybody planned them."""

from datetime import datetime, timedelta

from django.db import transaction

from badgerjobs.runs import making
from badgerjobs.runs.models import Run, Runnable, State
from badgerjobs.runs.worker import ring_after_commit
from badgerjobs.web.problems import Conflict, Invalid

# So many occurrences one request may run: their rows are made in one statement.
MOST = 10_000
_INSTANT = timedelta(microseconds=1)


def runs_to_make(runnable: Runnable, *, since: datetime, until: datetime, now: datetime) -> list[datetime]:
    """List the occurrences from `since` up to but not at `until`, and not after now, that have no run; oldest first.

    Those that were skipped have none; one that was aborted is one, and is replayed. What its schedule has yet to run
    is not among them, be it that it has come and waits for its place in the spread. Raises Invalid for a range in
    which more than MOST occurrences lie.
    """
    if until <= since:
        raise Invalid(until="The end must be after the beginning: give a later one.")
    end = min(until - _INSTANT, now)
    if runnable.next_run_at:
        end = min(end, runnable.next_run_at - timedelta(milliseconds=runnable.offset_ms) - _INSTANT)
    found = runnable.schedule.missed(since - _INSTANT, end)
    if not found:
        return []
    if found.count > MOST:
        raise Invalid(until=f"There are {found.count:,} occurrences in that time: at most {MOST:,} can be run at once.")
    occurrences = runnable.schedule.upcoming(since - _INSTANT, found.count)
    with_run = Run.objects.of(runnable.pk).exclude(state=State.SKIPPED)
    taken = set(with_run.filter(occurrence__range=(found.first, found.last)).values_list("occurrence", flat=True))
    return [moment for moment in occurrences if moment not in taken]


def backfill(
    *, runnable: Runnable, since: datetime, until: datetime, now: datetime, per_minute: int | None = None
) -> int:
    """Run the past occurrences of this time that have no run. Returns how many they are.

    They are runs like those of the schedule, and count neither towards its last run nor move it. They go one after the
    other, unless its runs may be beside each other; at most so many a minute, if that is given. Raises Invalid, and
    Conflict when it was deleted meanwhile.
    """
    try:
        with transaction.atomic():
            held = Runnable.objects.select_for_update(no_key=True).get(pk=runnable.pk)
            occurrences = runs_to_make(held, since=since, until=until, now=now)
            if occurrences:
                step = 60 / per_minute if per_minute else 0
                for queue in set(making.backfill(held.pk, occurrences, now=now, step=step)):
                    ring_after_commit(queue)
    except Runnable.DoesNotExist:
        raise Conflict("It was deleted in the meantime.") from None
    return len(occurrences)
