"""Deliveries by REST."""

from typing import Any

from django.db.models import F, QuerySet
from django.http import Http404, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.models import Run
from badgerjobs.runs.run_serializers import RunSerializer
from badgerjobs.web.asked import asked_of
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.filters import moment, narrow, one_of
from badgerjobs.web.idempotency import idempotent
from webhooks.deliveries import examples
from webhooks.deliveries.choosing import ids_to_replay, runnables_of, standing_so
from webhooks.deliveries.serializers import (
    STATES_SAID,
    DeliveryDetailSerializer,
    DeliverySerializer,
    ReplayDeliveriesSerializer,
    ReplayedSerializer,
)
from webhooks.deliveries.services import replay_deliveries, replay_delivery, verify_again
from webhooks.models import Act, Delivery
from webhooks.performing.loading import body_of_delivery
from webhooks.querysets import SEARCHED, STATES, DeliveryQuerySet

FILTERS = {
    "since": lambda deliveries, value: deliveries.received(since=moment(value)),
    "until": lambda deliveries, value: deliveries.received(until=moment(value)),
}

DESCRIBED = [
    OpenApiParameter("state", str, description=f"One or more of {STATES_SAID}, with commas."),
    OpenApiParameter("hook", str, description="Those that came to the hook with this tag."),
    OpenApiParameter(
        "event_id",
        str,
        description=f"Those with this id of the provider's, among the newest {SEARCHED:,} that match else.",
    ),
    OpenApiParameter("since", str, description="Received at or after this time, ISO 8601."),
    OpenApiParameter("until", str, description="Received before this time."),
]


class DeliveryViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Delivery]):
    """What came to the hooks of the token's application, newest first. Dead letters are `state=failed,aborted`."""

    serializer_class = DeliverySerializer
    queryset = Delivery.objects.none()
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Delivery]:
        """Without their bodies; in a list those that the address asks for."""
        found: Any = Delivery.objects.for_application(application_of(self.request)).with_state()
        found = found.annotate(hook_tag=F("runnable__hook__tag"))
        if self.action != "list":
            return found  # type: ignore[no-any-return]
        named = {**FILTERS, "hook": self._named, "state": self._standing, "event_id": _of_event}
        return narrow(found.defer("body", "headers", "query"), self.request, named)

    def get_object(self) -> Delivery:
        """The delivery of the address. Raises NotFound, alike where there is none and where it is another's."""
        try:
            found = super().get_object()
        except Http404:
            raise NotFound(f"There is no delivery with the id “{self.kwargs['pk']}” in this application.") from None
        found.application = application_of(self.request)
        return found

    def _named(self, deliveries: DeliveryQuerySet, tag: str) -> DeliveryQuerySet:
        return deliveries.filter(runnable_id__in=runnables_of(application_of(self.request), tag))

    def _standing(self, deliveries: DeliveryQuerySet, value: str) -> DeliveryQuerySet:
        hook = self.request.query_params.get("hook")
        return standing_so(deliveries, one_of(list(STATES), value), application_of(self.request), hook)

    @extend_schema(parameters=DESCRIBED, summary="List deliveries")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(responses=DeliveryDetailSerializer, summary="Read a delivery with what it led to")
    def retrieve(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        return self._whole()

    @extend_schema(
        summary="Read the body of a delivery",
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, description="What came.")},
    )
    @action(detail=True)
    def body(self, request: Request, pk: str) -> HttpResponse:  # noqa: ARG002
        """Byte for byte as it came, whatever its Content-Type said."""
        headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment"}
        raw = body_of_delivery(self.get_object().pk)
        return HttpResponse(raw, content_type="application/octet-stream", headers=headers)

    @extend_schema(request=None, responses={202: RunSerializer}, summary="Replay a delivery")
    @action(detail=True, methods=["post"])
    @idempotent
    def replay(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """It is acted upon once more, as it came, with its hook as that is now.

        409 while it is being worked on, and for what was not accepted.
        """
        run = replay_delivery(delivery=self.get_object(), by=holder_of(request), now=database_now())
        return Response(RunSerializer(run).data, status=202)

    @extend_schema(request=None, responses=DeliveryDetailSerializer, summary="Verify a refused delivery again")
    @action(detail=True, methods=["post"])
    @idempotent
    def verify(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """By its hook's settings as they are now, and the time when it came.

        Found right, it is acted upon, unless it repeats another one. 409, with the reason, where it is refused again.
        """
        verify_again(delivery=self.get_object(), by=holder_of(request), now=database_now())
        return self._whole()

    @extend_schema(
        operation_id="deliveries_replay_many",
        request=ReplayDeliveriesSerializer,
        responses={200: ReplayedSerializer, 202: ReplayedSerializer},
        summary="Replay many deliveries",
        examples=[examples.REPLAY],
    )
    @action(detail=False, methods=["post"], url_path="replay", url_name="replay-many")
    @idempotent
    def replay_many(self, request: Request) -> Response:
        """Those that are meant, by their ids or by the filters of the list, the oldest first. 200 for a dry run."""
        choice, place = asked_of(request, ReplayDeliveriesSerializer), application_of(request)
        ids = ids_to_replay(place, choice)
        if choice["dry_run"]:
            return Response({"count": len(ids)})
        count = replay_deliveries(
            application=place,
            delivery_ids=ids,
            by=holder_of(request),
            now=database_now(),
            per_minute=choice.get("per_minute"),
        )
        return Response({"count": count}, status=202)

    def _whole(self) -> Response:
        """Alone it comes with what its newest run says, and what that did."""
        delivery, place = self.get_object(), application_of(self.request)
        newest: Any = delivery.run_id
        runs = Run.objects.for_application(place).filter(pk=newest)
        acts = Act.objects.for_application(place).filter(run_id=newest)
        delivery.newest_run = runs.first()  # type: ignore[attr-defined]
        delivery.acts = list(acts)  # type: ignore[attr-defined]
        return Response(DeliveryDetailSerializer(delivery).data)


def _of_event(deliveries: DeliveryQuerySet, event_id: str) -> DeliveryQuerySet:
    return deliveries.of_event(event_id)
