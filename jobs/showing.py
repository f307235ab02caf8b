"""What the panel says of jobs: their state, their schedule and their last result, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from badgerjobs.lib import statuses
from badgerjobs.outbound.in_words import answer_in_words
from badgerjobs.runs.models import State
from badgerjobs.runs.owner_rows import OwnerRow
from badgerjobs.runs.recent import last_ended, last_runs
from badgerjobs.runs.saying import state_of
from jobs.events import showing as event_showing
from jobs.models import Job
from jobs.standing import is_cancelled


@dataclass(frozen=True, slots=True)
class Row(OwnerRow):
    """A job, and what its last runs were."""

    job: Job

    @property
    def state(self) -> str:
        return "cancelled" if is_cancelled(self.job) else state_of(self.runnable)

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
    return [Row(job.runnable, strips.get(job.runnable_id, []), ended.get(job.runnable_id), now, job) for job in jobs]


def failures_in_words(job: Job) -> str:
    """`a status of 400 or more fails`; which statuses fail, and which are tried again, where the job has its own."""
    usual = job.fail_statuses == statuses.FAILURES
    fails = "a status of 400 or more fails" if usual else f"statuses that fail: {job.fail_statuses}"
    return f"{fails}; tried again: {job.retry_statuses}" if job.retry_statuses else fails
