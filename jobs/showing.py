"""What the panel says of jobs: their state, their schedule and their last result, in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from badgerjobs.lib import statuses, words, zones
from badgerjobs.lib.backoff import Retries
from badgerjobs.lib.schedule import ScheduleError
from badgerjobs.runs.measures import so_far
from badgerjobs.runs.models import Runnable, State
from badgerjobs.runs.policy_words import runs_made
from badgerjobs.runs.previews import Preview, preview_of
from badgerjobs.runs.recent import Bar, Ended, last_ended, last_runs
from badgerjobs.runs.schedules import place_of
from jobs.answers import answer_in_words
from jobs.events import showing as event_showing
from jobs.models import Job
from jobs.standing import is_cancelled

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


@dataclass(frozen=True, slots=True)
class Row:
    """A job, and what its last runs were."""

    job: Job
    strip: Sequence[Bar]
    ended: Ended | None
    now: datetime

    @property
    def running(self) -> Bar | None:
        """The run that runs longest, of those in the strip."""
        return next((bar for bar in self.strip if bar.state == State.RUNNING), None)

    @property
    def so_far(self) -> str:
        """How long that has run by now: `41 s so far`."""
        return so_far(self.running.started_at if self.running else None, self.now)

    @property
    def state(self) -> str:
        return "cancelled" if is_cancelled(self.job) else state_of(self.job.runnable)

    @property
    def schedule(self) -> Saying:
        return saying(self.job.runnable)

    @property
    def zone(self) -> tzinfo:
        return place_of(self.job.runnable)

    @property
    def result(self) -> str:
        """`204`, `503`, `no connection`, `skipped`: the least that says how the last one ended."""
        if not self.ended or self.ended.state not in {State.SUCCEEDED, State.FAILED}:
            return self.ended.state if self.ended else ""
        said = answer_in_words(self.ended.status, self.ended.error_class, brief=True)
        return said or event_showing.ERRORS.get(self.ended.error_class, self.ended.state)


def rows_of(jobs: Iterable[Job], now: datetime) -> list[Row]:
    """The jobs with what their lists say of their runs: two queries, however many jobs there are."""
    jobs = list(jobs)
    ids = [job.runnable_id for job in jobs]
    strips, ended = (last_runs(ids), last_ended(ids)) if ids else ({}, {})
    return [Row(job, strips.get(job.runnable_id, []), ended.get(job.runnable_id), now) for job in jobs]


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
    waits = [words.duration(wait / timedelta(milliseconds=1)) for wait in policy.delays_of_all()]
    if not waits:
        return ""
    *first, last = waits if len(waits) <= MOST_WAITS else [*waits[:2], "…", waits[-1]]
    said = f"{', '.join(first)} and {last}" if first else last
    end = f", within {words.duration(policy.for_s * 1000)}" if policy.for_s else ""
    return f"{len(waits)} more time{'' if len(waits) == 1 else 's'}, after {said}{end}"


def failures_in_words(job: Job) -> str:
    """`a status of 400 or more fails`; which statuses fail, and which are tried again, where the job has its own."""
    usual = job.fail_statuses == statuses.FAILURES
    fails = "a status of 400 or more fails" if usual else f"statuses that fail: {job.fail_statuses}"
    return f"{fails}; tried again: {job.retry_statuses}" if job.retry_statuses else fails
