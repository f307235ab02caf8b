"""Jobs and their results by REST. Their verbs are in `verbs_api.py`."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs.backfill import runs_to_make
from badgerjobs.runs.bulk_serializers import BackfillSerializer, CountSerializer
from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.models import Attempt
from badgerjobs.runs.owned import BLANK
from badgerjobs.runs.querysets import AttemptQuerySet
from badgerjobs.runs.run_serializers import RunSerializer
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.filters import is_true, moment, narrow
from badgerjobs.web.idempotency import idempotent
from badgerjobs.web.pagination import HeavyRows, OnePage
from badgerjobs.web.problems import Invalid
from jobs import examples
from jobs.choosing import JOB_FILTERS, JOBS_DESCRIBED
from jobs.models import KINDS, Job
from jobs.result_serializers import ResultSerializer, RunnerSerializer
from jobs.runners import runners_of
from jobs.serializers import JobSerializer
from jobs.services import backfill_job, create_job, create_or_update_job, delete_job, run_job, update_job
from jobs.verbs_api import JobVerbs

RESULT_FILTERS = {
    "ok": lambda results, value: results.filter(ok=is_true(value)),
    "since": lambda results, value: results.filter(id__gte=uuid7_floor(moment(value))),
    "until": lambda results, value: results.filter(id__lt=uuid7_floor(moment(value))),
}

RESULTS_DESCRIBED = [
    OpenApiParameter("ok", bool, description="Only successes, or only what failed."),
    OpenApiParameter("since", str, description="Recorded at or after this time, ISO 8601."),
    OpenApiParameter("until", str, description="Recorded before this time, ISO 8601."),
]


class JobViewSet(JobVerbs):
    """The jobs of the token's application, newest first. A job's address is its tag."""

    @extend_schema(summary="List jobs", responses=JobSerializer(many=True), parameters=JOBS_DESCRIBED)
    def list(self, request: Request) -> Response:
        """A page of jobs, with the first 64 KB of each body, and each input of up to 16 KB.

        The results of all of them are counted in one query.
        """
        page = self.paginate_queryset(narrow(self.get_queryset(), request, JOB_FILTERS))
        return self.get_paginated_response(self._shown(*(page or [])))

    @extend_schema(
        summary="Create a job",
        responses={201: JobSerializer},
        examples=[examples.CREATE, examples.POLICIES, examples.EXECUTIONS],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """409 when the tag is taken. A past `run_at` without repeat runs at once; with no schedule, by hand only."""
        now = database_now()
        fields = self._checked(request.data, now=now)
        job = create_job(application=application_of(request), by=holder_of(request), now=now, **fields)
        return Response(self._shown(job)[0], status=201)

    @extend_schema(summary="Read a job")
    def retrieve(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        return Response(self._shown(self.get_object())[0])

    @extend_schema(summary="Change a job", examples=[examples.CHANGE])
    def partial_update(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Only what is given changes. A changed schedule aborts waiting runs; a running one finishes."""
        job, now = self.get_object(), database_now()
        fields = self._checked(request.data, job, now=now, partial=True)
        job = update_job(job=job, by=holder_of(request), now=now, **fields)
        return Response(self._shown(job)[0])

    @extend_schema(
        summary="Create or update a job",
        responses={200: JobSerializer, 201: JobSerializer},
        examples=[examples.REPLACE],
    )
    @idempotent
    def update(self, request: Request, tag: str) -> Response:
        """The job as given, whether there was one or not: fields left out take their defaults."""
        data: dict[str, Any] = request.data  # type: ignore[assignment]  # the parser takes nothing but objects
        if data.get("tag", tag) != tag:
            raise Invalid(tag=f"The address says “{tag}”: leave the tag out, or give the same.")
        found, now = self.get_queryset().filter(tag=tag).first(), database_now()
        given = self._checked({**data, "tag": tag}, found, now=now)
        fields = {"name": tag, "input": None, **BLANK, **given, "tag": tag}
        place, by = application_of(request), holder_of(request)
        job, made = create_or_update_job(application=place, by=by, now=now, **fields)
        return Response(self._shown(job)[0], status=201 if made else 200)

    @extend_schema(summary="Delete a job, its runs and results")
    def destroy(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        delete_job(job=self.get_object(), by=holder_of(request), now=database_now())
        return Response(status=204)

    @extend_schema(summary="Run a job now", request=None, responses={202: RunSerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def run(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Beside its schedule, and also when it is disabled."""
        run = run_job(job=self.get_object(), by=holder_of(request), now=database_now())
        return Response(RunSerializer(run).data, status=202)

    @extend_schema(
        summary="Run past occurrences that have no run",
        request=BackfillSerializer,
        responses={200: CountSerializer, 202: CountSerializer},
        examples=[examples.BACKFILL],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def backfill(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """What was missed, skipped or came before the job was made; whether it is enabled or not. A dry run is 200.

        One whose run was aborted or failed has a run: replay that. Unless `overlap` is allow they go one after the
        other, and an occurrence of the schedule that comes while one is queued or running overlaps with it: under skip,
        it is skipped.
        """
        job, now = self.get_object(), database_now()
        asked = BackfillSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        fields = asked.validated_data
        if fields.pop("dry_run"):
            fields.pop("per_minute", None)
            return Response({"count": len(runs_to_make(job.runnable, now=now, **fields))})
        count = backfill_job(job=job, by=holder_of(request), now=now, **fields)
        return Response({"count": count}, status=202)

    @extend_schema(
        summary="List the results of a job", responses=ResultSerializer(many=True), parameters=RESULTS_DESCRIBED
    )
    @action(detail=True, pagination_class=HeavyRows)
    def results(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """One for each attempt, newest first."""
        rows: Any = Attempt.objects.for_application(application_of(request)).of(self.get_object().runnable_id)
        page: Any = self.paginate_queryset(narrow(rows.select_related("runnable"), request, RESULT_FILTERS))
        return self.get_paginated_response(ResultSerializer(page, many=True).data)

    @extend_schema(summary="List the runners of a job", responses=RunnerSerializer(many=True))
    @action(detail=True, pagination_class=OnePage)
    def runners(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """What waits or runs, oldest first, and the planned run."""
        page: Any = self.paginate_queryset(runners_of(self.get_object()))
        return self.get_paginated_response(RunnerSerializer(page, many=True).data)


class ResultViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Attempt]):
    """The results of all jobs of the token's application, newest first."""

    serializer_class = ResultSerializer
    queryset = Attempt.objects.none()
    pagination_class = HeavyRows

    def get_queryset(self) -> QuerySet[Attempt]:
        """Only what jobs left."""
        rows = Attempt.objects.for_application(application_of(self.request)).filter(runnable__kind__in=KINDS)
        return narrow(rows.select_related("runnable"), self.request, {**RESULT_FILTERS, "job": self._of_job})

    def _of_job(self, results: AttemptQuerySet, tag: str) -> AttemptQuerySet:
        jobs = Job.objects.for_application(application_of(self.request)).filter(tag=tag)
        return results.filter(runnable_id__in=list(jobs.values_list("runnable_id", flat=True)))

    @extend_schema(
        summary="List results",
        parameters=[OpenApiParameter("job", str, description="A job's tag."), *RESULTS_DESCRIBED],
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)
