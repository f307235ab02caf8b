"""Background tasks by REST."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.models import LogLine
from badgerjobs.web.asked import asked_of
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.filters import moment, narrow, one_of
from badgerjobs.web.idempotency import idempotent
from badgerjobs.web.pagination import HeavyRows
from badgerjobs.web.problems import Invalid
from badgerjobs.workspaces.models import Scope
from tasks.background import errors, examples, reading, services
from tasks.background.definitions import public_definitions
from tasks.background.errors import BackgroundTaskError, WrongInputError
from tasks.background.serializers import (
    AbortTaskSerializer,
    BackgroundTaskSerializer,
    BriefTaskSerializer,
    DefinitionSerializer,
    TaskLogSerializer,
    TriggerSerializer,
)
from tasks.background.snapshot import snapshot_of
from tasks.background.sorting import FIRST_SORT, SAID, InTheirOrder, in_order
from tasks.background.standing import STATUSES
from tasks.models import BackgroundRun

FILTERS = {
    "definition": lambda tasks, value: tasks.filter(definition=value),
    "status": lambda tasks, value: tasks.filter(_standing(one_of([*STATUSES], value))),
    "parent": lambda tasks, value: tasks.filter(parent_id=_id(value)),
    "search": lambda tasks, value: tasks.filter(name__icontains=value),
    "since": lambda tasks, value: tasks.filter(created_at__gte=moment(value)),
    "until": lambda tasks, value: tasks.filter(created_at__lt=moment(value)),
    "sort": in_order,
}
DESCRIBED = [
    OpenApiParameter("definition", str, description="Those of the definition with this id, public or private."),
    OpenApiParameter("status", str, description=f"One or more of {', '.join(STATUSES)}, with commas."),
    OpenApiParameter("parent", str, description="Those that the task with this id has triggered."),
    OpenApiParameter("search", str, description="Those with these letters in their name, in any case."),
    OpenApiParameter("since", str, description="Triggered at or after this time, ISO 8601."),
    OpenApiParameter("until", str, description="Triggered before this time."),
    OpenApiParameter("sort", str, description=f"One of {SAID}; {FIRST_SORT} is usual."),
]
_STATUSES_OF = {errors.NOT_FOUND: 404, errors.CANNOT_ABORT: 409, errors.CANNOT_DELETE: 409, errors.CANNOT_TRIGGER: 409}

LISTED = "Those that may be triggered are at /api/v1/background-tasks/definitions/."


class TaskRefusedError(APIException):
    """What Webiny's words refuse: a problem with the same `code`."""

    def __init__(self, error: BackgroundTaskError) -> None:
        more = f" {LISTED}" if error.code == errors.NO_DEFINITION else ""
        super().__init__(f"{error.message}{more}")
        self.status_code = _STATUSES_OF.get(error.code, 400)
        self.members = {"code": error.code}


@contextmanager
def told() -> Iterator[None]:
    """Answer what is refused as REST does: with its code, and, where fields are at fault, with these."""
    try:
        yield
    except BackgroundTaskError as error:
        raise _problem(error) from None


def _problem(error: BackgroundTaskError) -> APIException:
    fields = error.data.get("invalidFields") if error.code == errors.INVALID else None
    if not fields:
        return TaskRefusedError(error)
    problem = Invalid(**{_place(error, path): str(one["message"]) for path, one in fields.items()})
    problem.members = {"code": error.code}  # type: ignore[attr-defined]
    return problem


def _place(error: BackgroundTaskError, path: str) -> str:
    """Which field of the request it is: `input.name` is one of the input, and `name` the request's own."""
    if not isinstance(error, WrongInputError):
        return path
    return f"input.{path}" if path else "input"


class BackgroundTaskViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[BackgroundRun]):
    """The background tasks of the token's application: runs of definitions that are written in code."""

    serializer_class = BriefTaskSerializer  # type: ignore[assignment]  # it shows what is read from the rows
    queryset = BackgroundRun.objects.none()
    pagination_class = InTheirOrder
    body_like = '{"definition": "…"}'
    lookup_url_kwarg = "id"  # its column is called `run`
    lookup_value_converter = "uuid"

    @property
    def required_scope(self) -> str | None:
        """Deleting has a scope of its own."""
        return Scope.BACKGROUND_DELETE if self.action == "destroy" else None

    def get_queryset(self) -> QuerySet[BackgroundRun]:
        """Those that the address asks for, without inputs and outputs."""
        found = BackgroundRun.objects.for_application(application_of(self.request)).brief()
        return narrow(found, self.request, FILTERS)

    @extend_schema(parameters=DESCRIBED, summary="List background tasks")
    def list(self, request: Request) -> Response:  # noqa: ARG002
        rows = self.paginate_queryset(self.get_queryset()) or []
        tasks: Any = [snapshot_of(row, is_whole=False) for row in rows]
        return self.get_paginated_response(BriefTaskSerializer(tasks, many=True).data)

    @extend_schema(
        request=TriggerSerializer,
        responses={201: BackgroundTaskSerializer},
        summary="Trigger a background task",
        examples=[examples.TRIGGER],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """One run of a public definition, now or after a delay.

        While one with the same key of de-duplication is not over, that one is answered, with 200.
        """
        asked, now = asked_of(request, TriggerSerializer), database_now()
        with told():
            task = services.trigger(
                application_of(request),
                asked["definition"],
                asked["input"],
                name=asked["name"] or "",
                delay=0 if asked["delay"] is None else asked["delay"],
                by=holder_of(request),
                public_only=True,
                now=now,
            )
        code = status.HTTP_200_OK if task.was_there else status.HTTP_201_CREATED
        return Response(BackgroundTaskSerializer(task).data, status=code)

    @extend_schema(responses=BackgroundTaskSerializer, summary="Read a background task")
    def retrieve(self, request: Request, id: UUID) -> Response:  # noqa: A002
        with told():
            return Response(BackgroundTaskSerializer(reading.get(application_of(request), id)).data)

    @extend_schema(request=None, responses={204: None}, summary="Delete a background task")
    def destroy(self, request: Request, id: UUID) -> Response:  # noqa: A002
        """One that is over, with its logs. What it has triggered stays. 409 for one that is not over."""
        with told():
            services.delete(application_of(request), id, by=holder_of(request), now=database_now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        request=AbortTaskSerializer,
        responses=BackgroundTaskSerializer,
        summary="Abort a background task",
        examples=[examples.ABORT],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def abort(self, request: Request, id: UUID) -> Response:  # noqa: A002
        """End one that is pending or running, for good, and what it has triggered. 409 for one that is over."""
        asked = asked_of(request, AbortTaskSerializer)
        with told():
            task = services.abort(application_of(request), id, **asked, by=holder_of(request), now=database_now())
        return Response(BackgroundTaskSerializer(task).data)

    @extend_schema(
        responses=TaskLogSerializer(many=True),
        parameters=[OpenApiParameter("iteration", int, description="Of this iteration only.")],
        summary="Read the log of a background task",
    )
    @action(detail=True, filter_backends=[], pagination_class=HeavyRows)
    def logs(self, request: Request, id: UUID) -> Response:  # noqa: A002
        """What its code and the engine wrote, newest first."""
        application = application_of(request)
        with told():
            task = reading.get(application, id)
        lines: Any = LogLine.objects.for_application(application).filter(run_id=task.id)
        found: Any = self.paginate_queryset(narrow(lines, request, {"iteration": _of_iteration}))
        return self.get_paginated_response(TaskLogSerializer(found, many=True).data)

    @extend_schema(responses=DefinitionSerializer(many=True), summary="List the public definitions", filters=False)
    @action(detail=False, pagination_class=None, filter_backends=[])
    def definitions(self, request: Request) -> Response:  # noqa: ARG002
        """Those that may be triggered, by id; the same for all applications."""
        found: Any = public_definitions()
        return Response(DefinitionSerializer(found, many=True).data)


def _standing(statuses: Any) -> Q:
    found = Q(pk__in=[])
    for one in statuses:
        found |= reading.STANDING[one]
    return found


def _id(value: str) -> Any:
    try:
        return reading.id_in(value)
    except BackgroundTaskError:
        raise ValueError("This is no id of a task.") from None


def _of_iteration(lines: Any, value: str) -> Any:
    if not value.isascii() or not value.isdigit() or len(value) > 5:
        raise ValueError("Must be a whole number, from 1.")
    return lines.filter(iteration=int(value))
