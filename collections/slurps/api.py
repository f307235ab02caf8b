"""Async jobs by REST. Their collections are in `collecting/`."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.runs.api import FILTERS
from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.models import Run, State
from badgerjobs.runs.owned import BLANK
from badgerjobs.runs.run_serializers import RunSerializer
from badgerjobs.web.asked import asked_of
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.definitions.rest import SEARCH, DefinitionViewSet, Verbs
from badgerjobs.web.filters import is_true, narrow
from badgerjobs.web.idempotency import idempotent
from badgerjobs.web.pagination import NewestFirst
from slurps import examples, services
from slurps.approvals import bring_up_to_date
from slurps.models import AsyncJob
from slurps.serializers import (
    AsyncJobSerializer,
    AsyncRunSerializer,
    ForgetSerializer,
    PauseAsyncJobSerializer,
    RunAsyncJobSerializer,
)

JOB_FILTERS = {
    "search": lambda jobs, value: jobs.search(value),
    "slurper": lambda jobs, value: jobs.filter(slurper__tag=value),
    "enabled": lambda jobs, value: jobs.filter(runnable__enabled=is_true(value)),
}
RUN_FILTERS = {name: FILTERS[name] for name in ("state", "cause", "error_class", "since", "until")}
# What a PUT that leaves them out sets.
_BLANK = {**BLANK, "timeout_s": AsyncJob().timeout_s}


@extend_schema_view(
    list=extend_schema(
        summary="List async jobs",
        responses=AsyncJobSerializer(many=True),
        parameters=[
            SEARCH,
            OpenApiParameter("slurper", str, description="Only those that run the slurper with this tag."),
            OpenApiParameter("enabled", bool, description="Only enabled, or only disabled ones."),
        ],
    ),
    retrieve=extend_schema(summary="Read an async job"),
)
class AsyncJobViewSet(DefinitionViewSet[AsyncJob]):
    """The async jobs of the token's application, newest first. An async job's address is its tag."""

    what = "async job"
    verbs = Verbs(
        "job",
        services.create_async_job,
        services.update_async_job,
        services.create_or_update_async_job,
        services.delete_async_job,
        database_now,
        _BLANK,
    )
    serializer_class = AsyncJobSerializer
    queryset = AsyncJob.objects.none()
    filters = JOB_FILTERS

    def get_queryset(self) -> QuerySet[AsyncJob]:
        """The application's async jobs, with what the engine knows of each."""
        return AsyncJob.objects.for_application(application_of(self.request)).in_rows()

    @extend_schema(
        summary="Create an async job",
        responses={201: AsyncJobSerializer},
        examples=[examples.ASYNC_JOB, examples.BY_HAND],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """409 when the tag is taken. No schedule: by hand only. Without an active collection nothing is stored."""
        return self._create(request)

    @extend_schema(summary="Change an async job", examples=[examples.CHANGE_ASYNC_JOB])
    def partial_update(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Only what is given changes. A changed schedule aborts waiting runs; a running one finishes."""
        return self._change(request)

    @extend_schema(
        summary="Create or update an async job",
        responses={200: AsyncJobSerializer, 201: AsyncJobSerializer},
        examples=[examples.REPLACE_ASYNC_JOB],
    )
    @idempotent
    def update(self, request: Request, tag: str) -> Response:
        """The async job as given, whether there was one or not: fields left out take their defaults."""
        return self._put(request, tag)

    @extend_schema(summary="Delete an async job, its runs and its collections")
    def destroy(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """With all their versions and rows: readers find them no more. Its slurper stays."""
        return self._delete(request)

    @extend_schema(
        summary="Run an async job now",
        request=RunAsyncJobSerializer,
        responses={202: RunSerializer},
        examples=[examples.RUN],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def run(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Beside its schedule, and also when it is paused. It waits while another run of it goes on."""
        job, given = self.get_object(), asked_of(request, RunAsyncJobSerializer)
        run = services.run_async_job(job=job, by=holder_of(request), now=database_now(), values=given.get("values"))
        return Response(RunSerializer(run).data, status=202)

    @extend_schema(
        summary="Pause an async job",
        request=PauseAsyncJobSerializer,
        responses=AsyncJobSerializer,
        examples=[examples.PAUSE],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def pause(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Nothing is planned meanwhile, what waits is aborted, what runs goes on. Paused again, it says why anew."""
        job, said = self.get_object(), asked_of(request, PauseAsyncJobSerializer)
        reason, until = said.get("reason", ""), said.get("until")
        by, now = holder_of(request), database_now()
        if not services.pause_async_job(job=job, by=by, now=now, reason=reason, until=until):
            services.update_async_job(job=job, by=by, now=now, pause_reason=reason, paused_until=until, enabled=False)
        return self._shown(job)

    @extend_schema(summary="Resume an async job that is paused", request=None, responses=AsyncJobSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def resume(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Its schedule keeps its rhythm. Resumed twice, nothing changes."""
        job = self.get_object()
        services.resume_async_job(job=job, by=holder_of(request), now=database_now())
        return self._shown(job)

    @extend_schema(
        summary="Have an async job pull everything anew",
        request=ForgetSerializer,
        responses=AsyncJobSerializer,
        examples=[examples.FORGET],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def forget(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """What its sources gave to go on from is forgotten: the next run pulls all that they have. Rows stay."""
        job, given = self.get_object(), asked_of(request, ForgetSerializer)
        sources = given.get("sources")
        return self._shown(services.forget(job=job, by=holder_of(request), now=database_now(), sources=sources))

    @extend_schema(
        summary="List the runs of an async job",
        responses=AsyncRunSerializer(many=True),
        parameters=[
            OpenApiParameter("state", str, description=f"One or more of {', '.join(State.values)}, with commas."),
            OpenApiParameter("cause", str, description="Why there is a run: one or more causes, with commas."),
            OpenApiParameter("error_class", str, description="What was wrong with its last attempt, in a word."),
            OpenApiParameter("since", str, description="Created at or after this time, ISO 8601."),
            OpenApiParameter("until", str, description="Created before this time, ISO 8601."),
        ],
    )
    @action(detail=True, pagination_class=NewestFirst)
    def runs(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """With the rows that each read, wrote and changed, newest first, as long as runs are kept."""
        runs: Any = Run.objects.for_application(application_of(request)).of(self.get_object().runnable_id)
        page: Any = self.paginate_queryset(narrow(runs.select_related("runnable"), request, RUN_FILTERS))
        bring_up_to_date(application_of(request), page)
        return self.get_paginated_response(AsyncRunSerializer(page, many=True).data)

    def _shown(self, row: AsyncJob, status: int = 200) -> Response:
        """As it is now: its next run may have been planned by a tick, and its collection by somebody."""
        found = self.get_queryset().filter(pk=row.pk).first()
        return super()._shown(found or row, status)
