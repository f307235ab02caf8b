"""Tasks by REST."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.models import Run
from badgerjobs.runs.owned import BLANK
from badgerjobs.runs.run_serializers import RunSerializer
from badgerjobs.web.asked import asked_of
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.definitions.rest import DefinitionViewSet, Verbs
from badgerjobs.web.filters import is_true, narrow, one_of
from badgerjobs.web.idempotency import idempotent
from badgerjobs.web.pagination import NewestFirst
from badgerjobs.web.problems import Invalid
from badgerjobs.workspaces.models import Scope
from tasks import examples, services
from tasks.hooks import hook_verb
from tasks.models import KeySync, Selection, Task, TaskType
from tasks.selection import MOST_NAMES
from tasks.serializers import TaskSerializer
from tasks.showing import keys_named
from tasks.syncs.choosing import SYNC_FILTERS, SYNCS_DESCRIBED
from tasks.syncs.serializers import SyncSerializer
from tasks.trial_serializers import (
    PatternSerializer,
    RetrySyncsSerializer,
    RotateWebhookSerializer,
    RunTaskSerializer,
    WebhookTrialSerializer,
    WebhookTriedSerializer,
)
from tasks.trials import try_pattern, try_webhook

TASK_FILTERS = {
    "search": lambda tasks, value: tasks.search(value),
    "type": lambda tasks, value: tasks.filter(type__in=one_of(TaskType.values, value.lower())),
    "enabled": lambda tasks, value: tasks.filter(runnable__enabled=is_true(value)),
}
TOTAL = "X-Total-Count"
# What a PUT that leaves them out sets.
_BLANK = {**BLANK, "pattern": "", "transform": ""}


@extend_schema_view(
    list=extend_schema(
        summary="List tasks",
        responses=TaskSerializer(many=True),
        parameters=[
            OpenApiParameter("search", str, description="Part of the tag, the name or the pattern."),
            OpenApiParameter("type", str, description=f"One or more of {', '.join(TaskType.values)}, with commas."),
            OpenApiParameter("enabled", bool, description="Only enabled, or only disabled ones."),
        ],
    ),
    retrieve=extend_schema(summary="Read a task"),
)
class TaskViewSet(DefinitionViewSet[Task]):
    """The cache-sync tasks of the token's application, newest first. A task's address is its tag."""

    what = "task"
    verbs = Verbs(
        "task",
        services.create_task,
        services.update_task,
        services.create_or_update_task,
        services.delete_task,
        database_now,
        _BLANK,
    )
    required_scope: Scope | None = None
    serializer_class = TaskSerializer
    queryset = Task.objects.none()
    filters = TASK_FILTERS

    def get_queryset(self) -> QuerySet[Task]:
        """The application's tasks; in lists without what is long."""
        tasks = Task.objects.for_application(application_of(self.request))
        return tasks.in_rows() if self.action == "list" else tasks.whole()

    def list(self, request: Request) -> Response:
        # How many keys each names is counted for the page in one query.
        page: Any = self.paginate_queryset(narrow(self.get_queryset(), request, self.filters))
        named = keys_named(page)
        for task in page:
            task.key_count = named.get(task.pk, 0)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        summary="Create a task", responses={201: TaskSerializer}, examples=[examples.CREATE, examples.WEBHOOK]
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """409 when the tag is taken. A webhook task gets its `webhook_url`."""
        return self._create(request)

    @extend_schema(summary="Change a task", examples=[examples.CHANGE])
    def partial_update(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Only what is given changes, and what another type has no use for is emptied. Keys are given whole."""
        return self._change(request)

    @extend_schema(
        summary="Create or update a task",
        responses={200: TaskSerializer, 201: TaskSerializer},
        examples=[examples.REPLACE],
    )
    @idempotent
    def update(self, request: Request, tag: str) -> Response:
        """The task as given, whether there was one or not: fields left out take their defaults."""
        return self._put(request, tag)

    @extend_schema(summary="Delete a task, its runs and their logs")
    def destroy(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Its keys stay, with their values."""
        return self._delete(request)

    @extend_schema(
        summary="Run a task now", request=RunTaskSerializer, responses={202: RunSerializer}, examples=[examples.RUN]
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def run(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Beside its schedule, and also when it is disabled. A webhook task takes an example of what would come."""
        task, given = self.get_object(), asked_of(request, RunTaskSerializer)
        if given and task.type != TaskType.WEBHOOK:
            raise Invalid(**dict.fromkeys(given, "Only a webhook task is given something: leave this out."))
        run = services.run_task(task=task, by=holder_of(request), now=database_now(), **_as_came(given))
        return Response(RunSerializer(run).data, status=202)

    @extend_schema(
        summary="Fetch the keys again that failed in a run",
        request=RetrySyncsSerializer,
        responses={202: RunSerializer},
        examples=[examples.RETRY],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def retry(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """And no others, in a new run. 409 where none failed, and while they are being fetched again already."""
        task, given = self.get_object(), asked_of(request, RetrySyncsSerializer)
        runs = Run.objects.for_application(application_of(request)).of(task.runnable_id)
        run = runs.filter(pk=given["run"]).first()
        if run is None:
            raise Invalid(run="This task has no run with this id.")
        made = services.retry_failed(task=task, run=run, by=holder_of(request), now=database_now())
        return Response(RunSerializer(made).data, status=202)

    @extend_schema(
        summary="List the keys that a task's runs fetched",
        responses=SyncSerializer(many=True),
        parameters=SYNCS_DESCRIBED,
    )
    @action(detail=True, pagination_class=NewestFirst)
    def syncs(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """One for each key of each run, newest first, as long as runs are kept."""
        rows: Any = KeySync.objects.for_application(application_of(request))
        rows = rows.filter(runnable_id=self.get_object().runnable_id)
        page: Any = self.paginate_queryset(narrow(rows, request, SYNC_FILTERS))
        return self.get_paginated_response(SyncSerializer(page, many=True).data)

    @extend_schema(
        summary="Give a webhook task another address",
        request=RotateWebhookSerializer,
        responses=TaskSerializer,
        examples=[examples.ROTATE],
    )
    @action(detail=True, methods=["post"], url_path="rotate-webhook")
    @idempotent
    def rotate_webhook(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """The one before leads nowhere from this moment on, or after as long as is said. 409 for another type."""
        task, said = self.get_object(), asked_of(request, RotateWebhookSerializer)
        by, now = holder_of(request), database_now()
        task = services.rotate_webhook(task=task, by=by, now=now, overlap_s=said["overlap_s"])
        return self._shown(task)

    @extend_schema(
        summary="Try a pattern out",
        request=PatternSerializer,
        responses={
            200: OpenApiResponse(
                {"type": "array", "maxItems": MOST_NAMES, "items": {"type": "string"}},
                description=f"The first {MOST_NAMES:,} names that it means, in order.",
            )
        },
        parameters=[
            OpenApiParameter(
                TOTAL, int, OpenApiParameter.HEADER, response=[200], description="How many keys the pattern means."
            )
        ],
        examples=[examples.TEST_PATTERN],
    )
    @action(detail=False, methods=["post"], url_path="test-pattern", required_scope=Scope.READ)
    def test_pattern(self, request: Request) -> Response:
        """The names of the keys that it means now, as a JSON array; how many in all, the header X-Total-Count says."""
        given = asked_of(request, PatternSerializer)
        found, total = try_pattern(application_of(request), **{"variables": {}, **given})
        return Response(found, headers={TOTAL: str(total)})

    @extend_schema(
        summary="Try a transform out",
        request=WebhookTrialSerializer,
        responses={200: WebhookTriedSerializer},
        examples=[examples.TRY],
    )
    @action(detail=False, methods=["post"], url_path="try-transform")
    def try_transform(self, request: Request) -> Response:
        """What it makes of an example, the pattern as that fills it, and the keys which that means. Nothing is run."""
        given = {"headers": {}, "pattern": None, **asked_of(request, WebhookTrialSerializer)}
        tried = try_webhook(application_of(request), **given)
        return Response(WebhookTriedSerializer(tried).data)

    def _shown(self, row: Task, status: int = 200) -> Response:
        """A task alone comes with all its keys, and for who may change it with the address of its webhook."""
        row.key_names = _names_of(row)  # type: ignore[attr-defined]
        row.key_count = len(row.key_names)  # type: ignore[attr-defined]
        context = {**self.get_serializer_context(), "webhook_urls": self._addresses([row])}
        return Response(TaskSerializer(row, context=context).data, status=status)

    def _addresses(self, tasks: Sequence[Task]) -> dict[int, str]:
        request: HttpRequest = self.request
        if not self.request.auth.may(Scope.WRITE):  # type: ignore[union-attr]
            return {}
        return {task.pk: hook_verb("address")(task, request) for task in tasks if task.type == TaskType.WEBHOOK}


def _names_of(task: Task) -> list[str]:
    if task.selection != Selection.EXACT:
        return []
    return list(task.keys.order_by("name").values_list("name", flat=True))


def _as_came(given: dict[str, Any]) -> dict[str, Any]:
    """What a webhook would have brought, in whole; nothing where nothing is given."""
    return {"body": given.get("body"), "headers": given.get("headers", {})} if given else {}
