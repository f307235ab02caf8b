"""Runs by REST, and the preview of a schedule."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs import examples
from badgerjobs.runs.bulk_serializers import (
    AbortedSerializer,
    AbortSerializer,
    ChoiceSerializer,
    CountSerializer,
    ReplaySerializer,
)
from badgerjobs.runs.choosing import ids_to_abort, ids_to_replay
from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.kinds import RUN_KINDS
from badgerjobs.runs.models import Cause, Run, Runnable, SkipReason, State
from badgerjobs.runs.querysets import RunQuerySet
from badgerjobs.runs.run_serializers import RunDetailSerializer, RunSerializer
from badgerjobs.runs.schedules import place_in_spread, preview, zone_of
from badgerjobs.runs.serializers import PlannedSerializer, PreviewSerializer
from badgerjobs.runs.services import abort_run, abort_runs, replay_run, replay_runs
from badgerjobs.runs.shown import entitle_alone, errors_shown
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.filters import moment, narrow, one_of
from badgerjobs.web.idempotency import idempotent
from badgerjobs.workspaces.models import Scope

FILTERS = {
    "state": lambda runs, value: runs.filter(state__in=one_of(State.values, value)),
    "cause": lambda runs, value: runs.filter(cause__in=one_of(Cause.values, value)),
    "kind": lambda runs, value: runs.filter(kind__in=one_of(list(RUN_KINDS), value)),
    "error_class": lambda runs, value: runs.with_error(one_of(list(errors_shown()), value)),
    "skip_reason": lambda runs, value: runs.not_run(one_of(SkipReason.values, value)),
    "since": lambda runs, value: runs.filter(id__gte=uuid7_floor(moment(value))),
    "until": lambda runs, value: runs.filter(id__lt=uuid7_floor(moment(value))),
}

DESCRIBED = [
    OpenApiParameter("state", str, description=f"One or more of {', '.join(State.values)}, with commas."),
    OpenApiParameter("cause", str, description=f"One or more of {', '.join(Cause.values)}, with commas."),
    OpenApiParameter("kind", str, description=f"One or more of {', '.join(RUN_KINDS)}, with commas: what it performs."),
    OpenApiParameter("name", str, description="Of what: a job's tag."),
    OpenApiParameter(
        "error_class", str, description="What was wrong with its last attempt, like timeout: one or more, with commas."
    ),
    OpenApiParameter(
        "skip_reason", str, description=f"Skipped for one or more of {', '.join(SkipReason.values)}, with commas."
    ),
    OpenApiParameter("since", str, description="Created at or after this time, ISO 8601."),
    OpenApiParameter("until", str, description="Created before this time, ISO 8601."),
]


class RunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Run]):
    """The runs of the token's application, newest first."""

    serializer_class = RunSerializer
    queryset = Run.objects.none()
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Run]:
        """The application's runs; one alone comes with its attempts and log."""
        runs = Run.objects.for_application(application_of(self.request)).select_related("runnable")
        if self.action == "list":
            return narrow(runs, self.request, {**FILTERS, "name": self._named})
        return runs.with_story()

    def get_object(self) -> Run:
        """The run of the address. Raises NotFound, alike where there is none and where it is another's."""
        try:
            run = super().get_object()
        except Http404:
            raise NotFound(f"There is no run with the id “{self.kwargs['pk']}” in this application.") from None
        entitle_alone([run])
        return run

    def paginate_queryset(self, queryset: Any) -> Any:
        """The runs of a page, each with what people call it."""
        runs = super().paginate_queryset(queryset)
        entitle_alone(runs or ())
        return runs

    def _named(self, runs: RunQuerySet, name: str) -> RunQuerySet:
        runnables = Runnable.objects.for_application(application_of(self.request))
        return runs.filter(runnable_id__in=runnables.ids_named(name))

    @extend_schema(parameters=DESCRIBED, summary="List runs")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(responses=RunDetailSerializer, summary="Read a run with its attempts and log")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ARG002
        return Response(RunDetailSerializer(self.get_object()).data)

    @extend_schema(request=None, responses=RunDetailSerializer, summary="Abort a run that is not over")
    @action(detail=True, methods=["post"])
    @idempotent
    def abort(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """A running call is cut off within about a second. Aborting twice changes nothing; 409 if it is over."""
        abort_run(run=self.get_object(), by=holder_of(request), now=database_now())
        return Response(RunDetailSerializer(self.get_object()).data)

    @extend_schema(request=None, responses={202: RunSerializer}, summary="Replay a run that is over")
    @action(detail=True, methods=["post"])
    @idempotent
    def replay(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """A new run that names this one, made at once from the job as it is now. 409 for one not over, or skipped."""
        run = replay_run(run=self.get_object(), by=holder_of(request), now=database_now())
        entitle_alone([run])
        return Response(RunSerializer(run).data, status=202)

    @extend_schema(
        operation_id="runs_abort_many",
        request=AbortSerializer,
        responses=AbortedSerializer,
        summary="Abort many runs",
        examples=[examples.ABORT],
    )
    @action(detail=False, methods=["post"], url_path="abort", url_name="abort-many")
    @idempotent
    def abort_many(self, request: Request) -> Response:
        """Those that are meant and not over: by their ids, or by the filters of the list."""
        choice, place = self._choice(AbortSerializer), application_of(request)
        ids, more = ids_to_abort(place, choice)
        count = len(ids)
        if not choice["dry_run"]:
            count = abort_runs(application=place, run_ids=ids, by=holder_of(request), now=database_now())
        return Response({"count": count, "more": more})

    @extend_schema(
        operation_id="runs_replay_many",
        request=ReplaySerializer,
        responses={200: CountSerializer, 202: CountSerializer},
        summary="Replay many runs",
        examples=[examples.REPLAY],
    )
    @action(detail=False, methods=["post"], url_path="replay", url_name="replay-many")
    @idempotent
    def replay_many(self, request: Request) -> Response:
        """Those that are meant and over: by their ids, or by the filters of the list. 202, and 200 for a dry run."""
        choice, place = self._choice(ReplaySerializer), application_of(request)
        ids = ids_to_replay(place, choice)
        if choice["dry_run"]:
            return Response({"count": len(ids)})
        rate, by = choice.get("per_minute"), holder_of(request)
        count = replay_runs(application=place, run_ids=ids, by=by, now=database_now(), per_minute=rate)
        return Response({"count": count}, status=202)

    def _choice(self, kind: type[ChoiceSerializer]) -> dict[str, Any]:
        asked = kind(data=self.request.data)
        asked.is_valid(raise_exception=True)
        found: dict[str, Any] = asked.validated_data
        return found


# Whose names are called tags.
KIND_OF_TAGS = "http"


class PreviewView(APIView):
    """What a schedule means, before it is used."""

    required_scope = Scope.READ

    @extend_schema(
        request=PreviewSerializer,
        responses=PlannedSerializer,
        summary="Preview a schedule",
        examples=[
            OpenApiExample(
                "working days at eight in Zurich",
                value={"cron": "0 8 * * 1-5", "time_zone": "Europe/Zurich", "count": 3},
                request_only=True,
            ),
            examples.PREVIEW,
        ],
    )
    def post(self, request: Request) -> Response:
        """The next times of a schedule, made by the code that runs it. Refuses what creating a job would refuse."""
        asked = PreviewSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        fields, schedule = asked.validated_data, asked.planned
        bounds = {"after": fields.get("after"), "max_runs": fields.get("max_runs")}
        times = preview(schedule, now=timezone.now(), count=fields["count"] + 1, **bounds)
        spread = fields.get("spread_s") if "tag" in fields else 0
        place = place_in_spread(application_of(request).pk, KIND_OF_TAGS, fields.get("tag", ""), spread or 0)
        said = {
            "next": [one + timedelta(milliseconds=place) for one in times[: fields["count"]]],
            "ends": len(times) <= fields["count"],
            "words": schedule.words(),
            "time_zone": zone_of(schedule),
        }
        return Response(PlannedSerializer(said).data)
