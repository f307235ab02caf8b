"""What can be done with jobs by REST, besides changing them: with one, and with many at once."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.models import Attempt
from badgerjobs.runs.run_serializers import RunSerializer
from badgerjobs.web.asked import asked_of
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.filters import moment, narrow
from badgerjobs.web.idempotency import idempotent
from badgerjobs.web.pagination import HeavyRows
from badgerjobs.web.problems import Conflict, Invalid
from jobs import examples
from jobs.bulk import MOST, delete_jobs, pause_jobs, resume_jobs
from jobs.cancelling import cancel_job, cancel_jobs
from jobs.choosing import JOB_FILTERS, JOBS_DESCRIBED, chosen
from jobs.history import history_of, statistics_of
from jobs.history_serializers import HistorySerializer, StatisticsSerializer
from jobs.models import Job
from jobs.serializers import JobSerializer
from jobs.services import retry_job, update_job
from jobs.standing import is_cancelled, standings_of
from jobs.verb_serializers import (
    CancelManySerializer,
    CancelSerializer,
    JobChoiceSerializer,
    JobCountSerializer,
    PauseJobSerializer,
    RescheduleSerializer,
    RetryJobSerializer,
)

MOST_EXECUTIONS = 100
# Ours → what `reschedule` calls it.
RESCHEDULED = {"run_at": "start_at", "run_every": "every", "run_every_ms": "every", "time_zone": "tz"}

BOUNDS = ("since", "until")
MADE = [
    OpenApiParameter("since", str, description="Only runs made at or after this time, ISO 8601."),
    OpenApiParameter("until", str, description="Only runs made before this time, ISO 8601."),
]


class JobVerbs(viewsets.GenericViewSet[Job]):
    """The jobs of the token's application: how they are found and shown, and their verbs."""

    serializer_class = JobSerializer
    queryset = Job.objects.none()
    pagination_class = HeavyRows
    lookup_field = lookup_url_kwarg = "tag"
    path_words = {"tag": "The job's tag, percent-encoded."}
    lookup_value_regex = r"[^/\x00]+"

    def get_queryset(self) -> QuerySet[Job]:
        """The application's jobs with their runnables; in lists without the rest of long bodies."""
        jobs = Job.objects.for_application(application_of(self.request))
        return jobs.in_brief() if self.action == "list" else jobs.whole()

    def get_object(self) -> Job:
        """The job of the address. Raises NotFound, alike where there is none and where it is another's."""
        try:
            job = super().get_object()
        except Http404:
            raise NotFound(f"There is no job with the tag “{self.kwargs['tag']}” in this application.") from None
        job.application = application_of(self.request)
        return job

    def _checked(self, data: Any, job: Job | None = None, *, now: datetime, partial: bool = False) -> dict[str, Any]:
        context = {**self.get_serializer_context(), "application": application_of(self.request), "now": now}
        serializer = JobSerializer(job, data=data, partial=partial, context=context)
        serializer.is_valid(raise_exception=True)
        return {name: value for name, value in serializer.validated_data.items() if partial is False or name != "tag"}

    def _shown(self, *jobs: Job) -> Any:
        counts = Attempt.objects.for_application(application_of(self.request)).counts(job.runnable_id for job in jobs)
        context = {"counts": counts, "standings": standings_of(jobs)}
        return JobSerializer(jobs, many=True, context=context).data

    def _found_again(self) -> Response:
        return Response(self._shown(self.get_object())[0])

    # One job

    @extend_schema(
        summary="Pause a job", request=PauseJobSerializer, responses=JobSerializer, examples=[examples.PAUSE]
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def pause(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Nothing is planned meanwhile, what waits is aborted, what runs goes on. Paused again, it says why anew."""
        job, said = self.get_object(), asked_of(request, PauseJobSerializer)
        if is_cancelled(job):
            raise Conflict("This job was cancelled: resume it, or give it another time by reschedule/.")
        reason, until = said.get("reason", ""), said.get("until")
        place, by, now = application_of(request), holder_of(request), database_now()
        if not pause_jobs(application=place, ids=[job.pk], by=by, now=now, reason=reason, until=until):
            update_job(job=job, by=by, now=now, pause_reason=reason, paused_until=until, enabled=False)
        return self._found_again()

    @extend_schema(summary="Resume a job that is paused or cancelled", request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def resume(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """A series keeps its rhythm, and what was to run once still does if it has not. Twice changes nothing."""
        job = self.get_object()
        resume_jobs(application=application_of(request), ids=[job.pk], by=holder_of(request), now=database_now())
        return self._found_again()

    @extend_schema(
        summary="Cancel a job", request=CancelSerializer, responses=JobSerializer, examples=[examples.CANCEL]
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def cancel(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Its series ends, and what waits or runs is aborted. Cancelled again, nothing changes; 409 if it is over."""
        job, said = self.get_object(), asked_of(request, CancelSerializer)
        cancel_job(job=job, by=holder_of(request), now=database_now(), reason=said.get("reason", ""))
        return self._found_again()

    @extend_schema(
        summary="Set when a job runs from now on",
        request=RescheduleSerializer,
        responses=JobSerializer,
        examples=[examples.RESCHEDULE],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def reschedule(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Waiting runs are aborted, a running one finishes, and its executions are counted anew. It is enabled."""
        job, now = self.get_object(), database_now()
        schedule = _schedule_of(asked_of(request, RescheduleSerializer))
        try:
            fields = self._checked({**schedule, "enabled": True}, job, now=now, partial=True)
        except ValidationError as error:
            found: Any = error.detail
            raise ValidationError({RESCHEDULED.get(name, name): said for name, said in found.items()}) from None
        update_job(job=job, by=holder_of(request), now=now, **fields)
        return self._found_again()

    @extend_schema(
        summary="Replay the last run of a job that failed",
        request=RetryJobSerializer,
        responses={202: RunSerializer},
        examples=[examples.RETRY],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def retry(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """As a new run, at once or after a delay. 409 where none failed, or where it is being retried already."""
        job, said = self.get_object(), asked_of(request, RetryJobSerializer)
        run = retry_job(job=job, by=holder_of(request), now=database_now(), wait_s=said["delay"] / 1000)
        return Response(RunSerializer(run).data, status=202)

    @extend_schema(
        summary="Read the executions of a job",
        responses=HistorySerializer,
        parameters=[
            OpenApiParameter("limit", int, description=f"How many of the last ones: 1 to {MOST_EXECUTIONS}, or 20.")
        ],
    )
    @action(detail=True, pagination_class=None)
    def history(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """How often it ran, how that ended, and the last executions with their results, newest first."""
        history = history_of(self.get_object(), limit=_limit(request))
        return Response(HistorySerializer(history).data)

    # Many

    @extend_schema(
        operation_id="jobs_cancel_many",
        summary="Cancel many jobs",
        request=CancelManySerializer,
        responses=JobCountSerializer,
        examples=[examples.CANCEL_MANY],
    )
    @action(detail=False, methods=["post"], url_path="cancel", url_name="cancel-many")
    @idempotent
    def cancel_many(self, request: Request) -> Response:
        """Those that match and have something to cancel."""
        said = asked_of(request, CancelManySerializer)
        reason = said.pop("reason", "")
        return self._done(said, goes_on=True, verb=lambda **which: cancel_jobs(**which, reason=reason))

    @extend_schema(
        operation_id="jobs_delete_many",
        summary="Delete many jobs with their runs and results",
        request=JobChoiceSerializer,
        responses=JobCountSerializer,
        examples=[examples.DELETE_MANY],
    )
    @action(detail=False, methods=["post"], url_path="delete", url_name="delete-many")
    @idempotent
    def delete_many(self, request: Request) -> Response:
        """Those that match."""
        return self._done(asked_of(request, JobChoiceSerializer), goes_on=False, verb=delete_jobs)

    @extend_schema(
        summary="Count the runs of jobs by how they are",
        responses=StatisticsSerializer,
        parameters=[*JOBS_DESCRIBED, *MADE],
    )
    @action(detail=False, pagination_class=None)
    def statistics(self, request: Request) -> Response:
        """Of the jobs that match, the runs that are kept."""
        jobs: Any = narrow(Job.objects.for_application(application_of(request)), request, JOB_FILTERS, besides=BOUNDS)
        bounds = {name: uuid7_floor(at) for name in BOUNDS if (at := _moment(request, name))}
        statistics = statistics_of(application_of(request), jobs, **bounds)
        return Response(StatisticsSerializer(statistics).data)

    def _done(self, choice: Mapping[str, Any], *, goes_on: bool, verb: Callable[..., int]) -> Response:
        place = application_of(self.request)
        jobs = chosen(place, choice, goes_on=goes_on)
        ids = list(jobs.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
        more, ids = len(ids) > MOST, ids[:MOST]
        count = len(ids)
        if not choice["dry_run"]:
            count = verb(application=place, ids=ids, by=holder_of(self.request), now=database_now())
        return Response({"count": count, "more": more})


def _schedule_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """In the job's words. Another rhythm begins now, unless it is said when."""
    at = said.get("start_at")
    start: Any = 0 if at is None else at.isoformat()
    if "every" in said:
        return {"start_at": start, "run_every": said["every"], "cron": None, "preset": None}
    if "cron" in said:
        zone = {"time_zone": said["tz"]} if "tz" in said else {}
        return {"start_at": start, "run_every": None, "cron": said["cron"], "preset": None, **zone}
    return {"start_at": start}


def _limit(request: Request) -> int:
    given = request.query_params.get("limit", "20")
    if not (given.isascii() and given.isdigit() and 1 <= int(given[:9]) <= MOST_EXECUTIONS):
        raise Invalid(limit=f"Must be a whole number from 1 to {MOST_EXECUTIONS}.")
    return int(given)


def _moment(request: Request, name: str) -> Any:
    given = request.query_params.get(name)
    try:
        return moment(given) if given else None
    except ValueError as error:
        raise ValidationError({name: [str(error)]}) from None
