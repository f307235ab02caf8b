"""What GraphQL shows of jobs: each field of a type is an attribute here, in our spelling.

Rows come in batches. Whatever one of a batch is asked for that needs the database is looked up for the whole batch at
once, so that a query takes as many statements as it names such things, however many rows there are.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from django.db.models import Count, Max, Q

from badgerjobs.lib import vault
from badgerjobs.runs.last_attempts import LastAttempt, TooMuchTextError, last_attempts_of
from badgerjobs.runs.models import Attempt
from badgerjobs.web.graphql import Asker, moment
from badgerjobs.workspaces.models import Application
from jobs.graphql.texts import count_loaded, wants_texts, without_unread
from jobs.models import Job
from jobs.runners import Runner, runners_of_all


class ApplicationNode:
    def __init__(self, asker: Asker, application: Application) -> None:
        self._asker, self._row = asker, application
        self._is_own = application.pk == asker.application.pk
        self.created_at = moment(application.created_at)

    @property
    def name(self) -> str:
        return self._asker.texts.tell(self._row.name) or ""

    @property
    def token(self) -> str | None:
        return self._asker.token if self._is_own else None

    @property
    def updated_at(self) -> str | None:
        last = self._counted["last"] if self._is_own else None
        return moment(max(filter(None, [self._row.updated_at, last])))

    @property
    def jobs_count(self) -> int | None:
        return self._counted["jobs"] if self._is_own else None

    @property
    def scheduled_jobs_count(self) -> int | None:
        return self._counted["planned"] if self._is_own else None

    @property
    def _counted(self) -> dict[str, Any]:
        return self._asker.once("jobs.counted", lambda: _counted(self._row))


def _counted(application: Application) -> dict[str, Any]:
    planned = Count("pk", filter=Q(runnable__next_run_at__isnull=False))
    return Job.objects.for_application(application).aggregate(jobs=Count("pk"), planned=planned, last=Max("updated_at"))


class JobBatch:
    """Jobs that were found together."""

    def __init__(self, asker: Asker, jobs: Iterable[Job]) -> None:
        self.asker = asker
        self.nodes = [JobNode(job, self) for job in jobs]
        self._results: dict[tuple[int, int], dict[int, list[LastAttempt]]] = {}
        self._runners: dict[int, dict[int, list[Runner]]] = {}

    @cached_property
    def by_runnable(self) -> dict[int, "JobNode"]:
        return {node.job.runnable_id: node for node in self.nodes}

    @cached_property
    def counts(self) -> dict[int, tuple[int, int]]:
        """Runnable → how many successes, how many failures."""
        return Attempt.objects.for_application(self.asker.application).counts(self.by_runnable)

    def results(self, runnable_id: int, *, limit: int, offset: int) -> Sequence[LastAttempt]:
        """The last results of one of them. Raises Invalid when all of them together would be too much."""
        asker, ids = self.asker, self.by_runnable
        if asker.texts.are_too_many:
            return ()
        if (limit, offset) not in self._results:
            try:
                found = last_attempts_of(
                    ids, application=asker.application, limit=limit, offset=offset, with_texts=wants_texts(asker)
                )
            except TooMuchTextError:
                asker.texts.refuse()
            count_loaded([row for rows in found.values() for row in rows], asker)
            self._results[limit, offset] = found
        return self._results[limit, offset].get(runnable_id, ())

    def runners(self, runnable_id: int, *, limit: int) -> Sequence[Runner]:
        """The first runners of one of them."""
        if limit not in self._runners:
            jobs = [node.job for node in self.nodes if node.is_own]
            self._runners[limit] = runners_of_all(jobs, application=self.asker.application, most=limit)
        return self._runners[limit].get(runnable_id, ())


class JobNode:
    __slots__ = ("batch", "job")

    def __init__(self, job: Job, batch: JobBatch) -> None:
        self.job, self.batch = job, batch

    @property
    def is_own(self) -> bool:
        """Whether it belongs to the application that asks: one may make a job in another, and no more."""
        return self.job.application_id == self.batch.asker.application.pk

    @property
    def name(self) -> str:
        return self._told(self.job.tag) or ""

    @property
    def enabled(self) -> bool:
        return self.job.runnable.enabled

    @property
    def endpoint(self) -> str | None:
        return self._told(self.job.endpoint or None)

    @property
    def verb(self) -> str | None:
        return self.job.verb or None

    @property
    def headers(self) -> str | None:
        headers = self.job.headers if self._is_told else None
        return self._told(json.dumps(vault.mask(headers), ensure_ascii=False)) if headers else None

    @property
    def body(self) -> str | None:
        return self._told(self.job.body or None) if self._is_told else None

    @property
    def _is_told(self) -> bool:
        """Whether its texts are. What another application stored is for those who may read there."""
        return self.is_own and not self.batch.asker.texts.are_too_many

    def _told(self, text: str | None) -> str | None:
        return self.batch.asker.texts.tell(text)

    @property
    def retryable(self) -> bool:
        return self.job.retryable

    @property
    def run_at(self) -> str | None:
        return moment(self.job.runnable.run_at)

    @property
    def run_every(self) -> str | None:
        return self.job.runnable.run_every or None

    @property
    def created_at(self) -> str | None:
        return moment(self.job.created_at)

    @property
    def updated_at(self) -> str | None:
        runnable = self.job.runnable
        return moment(max(filter(None, [self.job.updated_at, runnable.updated_at, runnable.last_run_at])))

    @property
    def last_run_at(self) -> str | None:
        return moment(self.job.runnable.last_run_at)

    @property
    def next_run_at(self) -> str | None:
        return moment(self.job.runnable.next_run_at)

    @property
    def success_count(self) -> int:
        return self.batch.counts.get(self.job.runnable_id, (0, 0))[0]

    @property
    def failure_count(self) -> int:
        return self.batch.counts.get(self.job.runnable_id, (0, 0))[1]

    @property
    def application(self) -> ApplicationNode:
        asker = self.batch.asker
        return ApplicationNode(asker, asker.application if self.is_own else self.job.application)


class ResultNode:
    """A result: of a job that is known already, or of one among those that are looked up when one of them is asked."""

    __slots__ = ("_jobs", "_row", "duration", "run", "status")

    def __init__(self, row: LastAttempt, jobs: "JobsOfResults | JobBatch") -> None:
        self._row, self._jobs = row, jobs
        self.status, self.run, self.duration = row.status, row.run_number, row.duration_ms

    @property
    def headers(self) -> str | None:
        return self._jobs.asker.texts.tell(self._row.headers)

    @property
    def body(self) -> str | None:
        return self._jobs.asker.texts.tell(self._row.body)

    @property
    def run_at(self) -> str | None:
        return moment(self._row.started_at)

    @property
    def created_at(self) -> str | None:
        return moment(self._row.created_at)

    updated_at = created_at

    @property
    def job(self) -> JobNode | None:
        return self._jobs.by_runnable.get(self._row.runnable_id)


class JobsOfResults:
    """The jobs of results that were found without them."""

    def __init__(self, asker: Asker, rows: Iterable[LastAttempt]) -> None:
        self.asker = asker
        self._ids = {row.runnable_id for row in rows}

    @cached_property
    def by_runnable(self) -> dict[int, JobNode]:
        if self.asker.texts.are_too_many:
            return {}
        jobs = Job.objects.for_application(self.asker.application).filter(runnable_id__in=self._ids)
        return JobBatch(self.asker, without_unread(jobs, self.asker)).by_runnable


class RunnerNode:
    __slots__ = ("_row", "attempts", "job", "priority", "queue", "recurring", "running")

    def __init__(self, row: Runner, job: JobNode) -> None:
        self._row, self.job = row, job
        self.priority, self.queue, self.attempts = row.priority, row.queue, row.attempts
        self.recurring, self.running = row.recurring, row.running

    @property
    def run_at(self) -> str | None:
        return moment(self._row.run_at)

    @property
    def failed_at(self) -> str | None:
        return moment(self._row.failed_at)

    @property
    def created_at(self) -> str | None:
        return moment(self._row.created_at)

    @property
    def updated_at(self) -> str | None:
        return moment(self._row.updated_at)
