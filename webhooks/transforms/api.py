"""The verbs of hooks about their transforms, by REST: trials, versions and examples."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.asked import asked_of
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.definitions.rest import DefinitionViewSet
from badgerjobs.web.idempotency import idempotent
from badgerjobs.web.pagination import OnePage
from webhooks import examples, services
from webhooks.models import Delivery, Example, Hook, TransformVersion
from webhooks.serializers import HookSerializer
from webhooks.transforms import example_services
from webhooks.transforms.drafts import try_draft
from webhooks.transforms.serializers import ExampleSerializer, VersionRowSerializer, VersionSerializer, given_by
from webhooks.transforms.trial_serializers import (
    DraftSerializer,
    DraftTriedSerializer,
    TriedHookSerializer,
    TryHookSerializer,
)
from webhooks.transforms.trials import try_hook


class TransformVerbs(DefinitionViewSet[Hook]):
    """The same for all hooks of an application: what is tried, kept and gone back to."""

    # What a draft makes of what comes

    @extend_schema(
        summary="Try a hook's transform out",
        request=TryHookSerializer,
        responses={200: TriedHookSerializer},
        examples=[examples.TRY],
    )
    @action(detail=True, methods=["post"], url_path="try")
    def tried(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """What it makes of something that came or would come, and what would be done. Nothing is."""
        hook = self.get_object()
        given = given_by(self._deliveries(hook), asked_of(request, TryHookSerializer))
        if "example" in given:
            example = self._example(hook, given["example"])
            given |= {"body": example.body, "headers": example.headers}
        raw = given.get("body", "").encode(errors="replace")
        code = given.get("transform", hook.transform)
        tried = try_hook(hook, code=code, headers=given.get("headers", {}), raw=raw)
        return Response(TriedHookSerializer(tried).data)

    @extend_schema(
        operation_id="hooks_try_draft",
        summary="Try a draft of a transform on examples and on what came",
        request=DraftSerializer,
        responses=DraftTriedSerializer,
        examples=[examples.DRAFT],
    )
    @action(detail=True, methods=["post"], url_path="try-draft")
    def try_draft(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """What it makes of all examples, and of the last deliveries, beside what is made of them now. Nothing is done.

        It takes 30 seconds at most: what there was no time for is said.
        """
        hook, given = self.get_object(), asked_of(request, DraftSerializer)
        tried = try_draft(hook, code=given["transform"], deliveries=given["deliveries"])
        return Response(DraftTriedSerializer(tried).data)

    # What its transform was

    @extend_schema(summary="List the versions of a hook's transform", responses=VersionRowSerializer(many=True))
    @action(detail=True, pagination_class=OnePage)
    def versions(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """The last 200 that were saved, newest first, without their code."""
        rows: Any = self._versions(self.get_object()).defer("code")
        page: Any = self.paginate_queryset(rows)
        return self.get_paginated_response(VersionRowSerializer(page, many=True).data)

    @extend_schema(summary="Read a version of a hook's transform", responses=VersionSerializer)
    @action(detail=True, url_path=r"versions/(?P<number>[0-9]{1,9})")
    def version(self, request: Request, tag: str, number: str) -> Response:  # noqa: ARG002
        """One that was saved, with its code."""
        found = self._versions(self.get_object()).filter(number=int(number)).first()
        if found is None:
            raise NotFound(f"There is no version {int(number)} of this transform, or none any more.")
        return Response(VersionSerializer(found).data)

    @extend_schema(summary="Go back to a version of a hook's transform", request=None, responses=HookSerializer)
    @action(detail=True, methods=["post"], url_path=r"versions/(?P<number>[0-9]{1,9})/restore")
    @idempotent
    def restore(self, request: Request, tag: str, number: str) -> Response:  # noqa: ARG002
        """It becomes the next version. 409 where it is not kept any more."""
        hook, by = self.get_object(), holder_of(request)
        hook = services.restore_transform(hook=hook, number=int(number), by=by, now=database_now())
        return self._shown(hook)

    # What its transform is tried with

    @extend_schema(summary="List the examples of a hook", responses=ExampleSerializer(many=True))
    @action(detail=True, url_path="examples", pagination_class=OnePage)
    def its_examples(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """All of them, by name: at most 50."""
        rows: Any = self._examples(self.get_object())
        page: Any = self.paginate_queryset(rows)
        return self.get_paginated_response(ExampleSerializer(page, many=True).data)

    @extend_schema(summary="Read an example of a hook", responses=ExampleSerializer)
    @action(detail=True, url_path=r"examples/(?P<name>[^/\x00]+)")
    def example(self, request: Request, tag: str, name: str) -> Response:  # noqa: ARG002
        """What would come, and what the transform must return."""
        return Response(ExampleSerializer(self._example(self.get_object(), name)).data)

    @extend_schema(
        summary="Create or update an example of a hook",
        request=ExampleSerializer,
        responses={200: ExampleSerializer, 201: ExampleSerializer},
        examples=[examples.EXAMPLE],
    )
    @example.mapping.put
    @idempotent
    def put_example(self, request: Request, tag: str, name: str) -> Response:  # noqa: ARG002
        """The example as given, whether there was one or not. 409 for more than 50."""
        hook = self.get_object()
        blank = {"body": "", "headers": {}}
        fields = {**blank, **given_by(self._deliveries(hook), asked_of(request, ExampleSerializer))}
        by, now = holder_of(request), database_now()
        example, made = example_services.put_example(hook=hook, name=name, by=by, now=now, **fields)
        return Response(ExampleSerializer(example).data, status=201 if made else 200)

    @extend_schema(summary="Delete an example of a hook", responses={204: None})
    @example.mapping.delete
    def delete_example(self, request: Request, tag: str, name: str) -> Response:  # noqa: ARG002
        """It is kept no more."""
        example = self._example(self.get_object(), name)
        example_services.delete_example(example=example, by=holder_of(request), now=database_now())
        return Response(status=204)

    def _deliveries(self, hook: Hook) -> QuerySet[Delivery]:
        return Delivery.objects.for_application(application_of(self.request)).of(hook)

    def _versions(self, hook: Hook) -> QuerySet[TransformVersion]:
        return TransformVersion.objects.for_application(application_of(self.request)).filter(hook=hook)

    def _examples(self, hook: Hook) -> QuerySet[Example]:
        return Example.objects.for_application(application_of(self.request)).filter(hook=hook)

    def _example(self, hook: Hook, name: str) -> Example:
        found = self._examples(hook).filter(name=name).first()
        if found is None:
            raise NotFound(f"This hook has no example “{name[:100]}”.")
        found.hook = hook
        return found
