"""What pages say of anything that runs: when, in words, what comes next, and how it is tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from badgerjobs.lib import words, zones
from badgerjobs.lib.backoff import Retries
from badgerjobs.lib.schedule import ScheduleError
from badgerjobs.runs.models import Runnable
from badgerjobs.runs.policy_words import runs_made
from badgerjobs.runs.previews import Preview, preview_of

# So many waits between attempts are told one by one.
MOST_WAITS = 4


@dataclass(frozen=True, slots=True)
class Saying:
    """A schedule in few words, and what stands small beside it: `code` for machines, `note` for people.

    `end` says where it ends, if it does.
    """

    title: str
    code: str = ""
    note: str = ""
    end: str = ""


def state_of(runnable: Runnable) -> str:
    """`enabled`, `paused`, or `ended`: its schedule has no more to come. One that is run by hand never ends."""
    if not runnable.enabled:
        return "paused"
    has_schedule = runnable.run_at or runnable.schedule.is_recurring
    return "ended" if has_schedule and not runnable.next_run_at else "enabled"


def saying(runnable: Runnable) -> Saying:
    """`Every 15 minutes`, `At 08:00 on Monday` beside `0 8 * * 1`, `Daily at 08:00 EST` beside its time in UTC.

    Where it ends, `until 2026-12-31 23:59 Europe/Zurich, 12 of 100 runs made`.
    """
    said, until, last = runnable.schedule.words().partition(", until ")
    end = ", ".join(filter(None, [f"until {last}" if until else "", runs_made(runnable)]))
    if runnable.run_every:
        return Saying(_capital(said.partition(", starting ")[0]), end=end)
    if runnable.cron:
        return Saying(_capital(said.partition(f", {runnable.time_zone}")[0]), code=runnable.cron, end=end)
    if runnable.preset:
        title, _, rest = said.partition(" (")
        return Saying(_capital(title), note=f"preset, {rest.partition(')')[0]}" if rest else "preset", end=end)
    return Saying("Once") if runnable.run_at else Saying("By hand only")


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]


def next_runs(runnable: Runnable, now: datetime) -> Preview:
    """What comes next, in two zones; or the sentence that says why nothing can be computed any more."""
    try:
        return preview_of(runnable, now)
    except (ScheduleError, zones.UnknownZoneError) as error:
        return Preview("Not planned", errors=[str(error)])


def retries_in_words(policy: Retries) -> str:
    """`3 more times, after 10 s, 20 s and 30 s`, with `within 1 h` where it has an end; empty for none."""
    waits = [words.length(wait / timedelta(seconds=1)) for wait in policy.delays_of_all()]
    if not waits:
        return ""
    *first, last = waits if len(waits) <= MOST_WAITS else [*waits[:2], "…", waits[-1]]
    said = f"{', '.join(first)} and {last}" if first else last
    end = f", within {words.length(policy.for_s)}" if policy.for_s else ""
    return f"{len(waits)} more time{'' if len(waits) == 1 else 's'}, after {said}{end}"


def seen_of(row: Any) -> str:
    """What changes with each change of a row that has a runnable, as the form shows it: also when it is switched."""
    return f"{row.updated_at.isoformat()} {row.runnable.enabled}"


def saved_in_words(row: Any, now: datetime, *, by_hand: str) -> str:
    """What is said when it was saved: when it runs first. `by_hand`: what starts it where nothing is planned."""
    first = row.runnable.next_run_at
    if first:
        said = f"It runs {words.relative((first - now).total_seconds())}."
    else:
        said = by_hand if row.runnable.enabled else "It is paused: it runs by hand only."
    return f"{row.name} is saved. {said}"
