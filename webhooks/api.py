"""Hooks by REST. Their verbs are in `verbs_api.py`, what came to them in `deliveries/api.py`."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.owned import BLANK
from badgerjobs.runs.schedules import PAUSE_FIELDS
from badgerjobs.web.definitions.rest import Verbs
from badgerjobs.web.filters import is_true, one_of
from badgerjobs.web.idempotency import idempotent
from webhooks import examples, services
from webhooks.models import Verification
from webhooks.serializers import HookSerializer
from webhooks.verbs_api import HookVerbs

HOOK_FILTERS = {
    "search": lambda hooks, value: hooks.search(value),
    "verification": lambda hooks, value: hooks.filter(verification__in=one_of(Verification.values, value, str.lower)),
    "enabled": lambda hooks, value: hooks.filter(runnable__enabled=is_true(value)),
    "of_task": lambda hooks, value: hooks.filter(task__isnull=not is_true(value)),
}
# What a PUT that leaves them out sets.
_BLANK = {name: BLANK[name] for name in PAUSE_FIELDS}


@extend_schema_view(
    list=extend_schema(
        summary="List hooks",
        responses=HookSerializer(many=True),
        parameters=[
            OpenApiParameter("search", str, description="Part of the tag or the name."),
            OpenApiParameter("verification", str, description=f"One or more of {', '.join(Verification.values)}."),
            OpenApiParameter("enabled", bool, description="Only enabled, or only disabled ones."),
            OpenApiParameter("of_task", bool, description="Only those of webhook tasks, or only all others."),
        ],
    ),
    retrieve=extend_schema(summary="Read a hook"),
)
class HookViewSet(HookVerbs):
    """The hooks of the token's application, newest first. A hook's address here is its tag.

    Hooks of webhook tasks are among them: their tag is that of the task behind `task:`.
    """

    filters = HOOK_FILTERS
    verbs = Verbs(
        "hook",
        services.create_hook,
        services.update_hook,
        services.create_or_update_hook,
        services.delete_hook,
        database_now,
        _BLANK,
    )

    @extend_schema(
        summary="Create a hook", responses={201: HookSerializer}, examples=[examples.CREATE, examples.VERIFIED]
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """409 when the tag is taken. Others call its `url` from now on."""
        return self._create(request)

    @extend_schema(summary="Change a hook", examples=[examples.CHANGE])
    def partial_update(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Only what is given changes; settings and actions are given whole. It holds from the next call."""
        return self._change(request)

    @extend_schema(
        summary="Create or update a hook",
        responses={200: HookSerializer, 201: HookSerializer},
        examples=[examples.REPLACE],
    )
    @idempotent
    def update(self, request: Request, tag: str) -> Response:
        """The hook as given, whether there was one or not: fields left out take their defaults.

        Of one that belongs to a task, what it has from that stays.
        """
        return self._put(request, tag)

    @extend_schema(summary="Delete a hook with what came to it")
    def destroy(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Its address leads nowhere from now on. 409 for one that belongs to a task."""
        return self._delete(request)

    def _whole(self, request: Request, tag: str) -> dict[str, Any]:
        fields = super()._whole(request, tag)
        given: dict[str, Any] = request.data  # type: ignore[assignment]  # the parser takes nothing but objects
        if not self.get_queryset().filter(tag=tag, task__isnull=False).exists():
            return fields
        return {name: value for name, value in fields.items() if name in given or name not in services.OF_ITS_TASK}
