"""What can be done with hooks by REST, besides changing them. What is about transforms is in `transforms/api.py`."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.asked import asked_of
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.idempotency import idempotent
from badgerjobs.workspaces.models import Scope
from webhooks import examples, services
from webhooks.models import Hook
from webhooks.rotation import address_of
from webhooks.serializers import HookSerializer
from webhooks.transforms.api import TransformVerbs
from webhooks.verb_serializers import PauseHookSerializer, RotateSerializer


class HookVerbs(TransformVerbs):
    """The hooks of the token's application: how they are found and shown, and their verbs."""

    what = "hook"
    serializer_class = HookSerializer
    queryset = Hook.objects.none()
    path_words = {"tag": "Its tag, percent-encoded.", "name": "The name of an example.", "number": "A version."}

    def get_queryset(self) -> QuerySet[Hook]:
        """The application's hooks; in lists without what is long or secret."""
        hooks = Hook.objects.for_application(application_of(self.request))
        return hooks.in_rows().defer("secret") if self.action == "list" else hooks.whole()

    @extend_schema(
        summary="Pause a hook", request=PauseHookSerializer, responses=HookSerializer, examples=[examples.PAUSE]
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def pause(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """What comes is stored and held, and so is what waits. What runs goes on. Paused again, it says why anew."""
        hook, said = self.get_object(), asked_of(request, PauseHookSerializer)
        why: dict[str, Any] = {"reason": said.get("reason", ""), "until": said.get("until")}
        by, now = holder_of(request), database_now()
        if not services.pause_hook(hook=hook, by=by, now=now, **why):
            again = {"enabled": False, "pause_reason": why["reason"], "paused_until": why["until"]}
            services.update_hook(hook=hook, by=by, now=now, **again)
        return self._shown(self.get_object())

    @extend_schema(summary="Resume a hook", request=None, responses=HookSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def resume(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """What was held is acted upon, the oldest first. Twice changes nothing."""
        services.resume_hook(hook=self.get_object(), by=holder_of(request), now=database_now())
        return self._shown(self.get_object())

    @extend_schema(
        summary="Give a hook another address",
        request=RotateSerializer,
        responses=HookSerializer,
        examples=[examples.ROTATE],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def rotate(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """The one of now leads here too for a day, or for as long as is said; one before that, from now on nowhere."""
        hook, said = self.get_object(), asked_of(request, RotateSerializer)
        hook = services.rotate_hook(hook=hook, by=holder_of(request), now=database_now(), overlap_s=said["overlap_s"])
        return self._shown(hook)

    def _shown(self, row: Hook, status: int = 200) -> Response:
        """A hook alone comes with its address, for who may change it."""
        context = {**self.get_serializer_context(), "urls": self._urls([row])}
        return Response(HookSerializer(row, context=context).data, status=status)

    def _urls(self, hooks: Sequence[Hook]) -> dict[int, str]:
        request: HttpRequest = self.request
        if not self.request.auth.may(Scope.WRITE):  # type: ignore[union-attr]
            return {}
        return {hook.pk: address_of(hook, request) for hook in hooks}
