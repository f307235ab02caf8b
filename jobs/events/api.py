"""Events and connections by REST."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.filters import Filter, narrow, one_of
from badgerjobs.web.idempotency import idempotent
from badgerjobs.web.pagination import HeavyRows
from badgerjobs.web.problems import Invalid
from badgerjobs.web.trials import TooManyTrialsError
from jobs.events import examples, services
from jobs.events.serializers import (
    ConnectionSerializer,
    EventSerializer,
    NewSampleSerializer,
    SampleSerializer,
    TriedSerializer,
)
from jobs.events.trials import told, try_event
from jobs.models import Connection, ConnectionType, Event, EventType

EVENT_FILTERS = {
    "search": lambda events, value: events.search(value),
    "type": lambda events, value: events.filter(type__in=one_of(EventType.values, value.upper())),
    "connection": lambda events, value: events.filter(connection__tag=value),
}
CONNECTION_FILTERS = {
    "search": lambda connections, value: connections.search(value),
    "type": lambda connections, value: connections.filter(type__in=one_of(ConnectionType.values, value.upper())),
}
SEARCH = OpenApiParameter("search", str, description="Part of the tag or the name.")

D = TypeVar("D", Event, Connection)


class DefinitionViewSet(viewsets.GenericViewSet[D]):
    """What events and connections share: how they are found, checked and shown. The address of each is its tag."""

    pagination_class = HeavyRows
    lookup_field = lookup_url_kwarg = "tag"
    path_words = {"tag": "Its tag, percent-encoded."}
    lookup_value_regex = r"[^/\x00]+"
    filters: Mapping[str, Filter] = {}

    def get_object(self) -> D:
        """The one of the address. Raises NotFound, alike where there is none and where it is another's."""
        try:
            found = super().get_object()
        except Http404:
            what, tag = self.get_queryset().model._meta.model_name, self.kwargs["tag"]
            raise NotFound(f"There is no {what} with the tag “{tag}” in this application.") from None
        found.application = application_of(self.request)
        return cast("D", found)

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(narrow(self.get_queryset(), request, self.filters))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        return self._shown(self.get_object())

    def _shown(self, row: D, status: int = 200) -> Response:
        return Response(self.get_serializer(row).data, status=status)

    def _checked(self, data: Any, row: D | None = None, *, partial: bool = False) -> dict[str, Any]:
        context = {"application": application_of(self.request)}
        serializer = self.get_serializer_class()(row, data=data, partial=partial, context=context)
        serializer.is_valid(raise_exception=True)
        return cast("dict[str, Any]", serializer.validated_data)

    def _changes(self, request: Request, row: D) -> dict[str, Any]:
        """What a PATCH gives. A tag may be repeated, and is never changed."""
        fields = self._checked(request.data, row, partial=True)
        return {name: value for name, value in fields.items() if name != "tag"}

    def _whole(self, request: Request, tag: str) -> dict[str, Any]:
        """What a PUT gives, for the tag of the address. Raises Invalid for another one."""
        data: dict[str, Any] = request.data  # type: ignore[assignment]  # the parser takes nothing but objects
        if data.get("tag", tag) != tag:
            raise Invalid(tag=f"The address says “{tag}”: leave the tag out, or give the same.")
        found = self.get_queryset().filter(tag=tag).first()
        return {"name": tag, **self._checked({**data, "tag": tag}, found), "tag": tag}


@extend_schema_view(
    list=extend_schema(
        summary="List events",
        responses=EventSerializer(many=True),
        parameters=[
            SEARCH,
            OpenApiParameter("type", str, enum=EventType.values, description="Only those of this type."),
            OpenApiParameter("connection", str, description="Only those that use the connection with this tag."),
        ],
    ),
    retrieve=extend_schema(summary="Read an event"),
)
class EventViewSet(DefinitionViewSet[Event]):
    """The events of the token's application, newest first. An event's address is its tag."""

    serializer_class = EventSerializer
    queryset = Event.objects.none()
    filters = EVENT_FILTERS

    def get_queryset(self) -> QuerySet[Event]:
        """The application's events with their connections, and how many jobs perform each."""
        return Event.objects.for_application(application_of(self.request)).whole().with_users()

    @extend_schema(summary="Create an event", responses={201: EventSerializer}, examples=[examples.CREATE])
    @idempotent
    def create(self, request: Request) -> Response:
        """409 when the tag is taken. Try it out before jobs perform it."""
        fields, place = self._checked(request.data), application_of(request)
        event = services.create_event(application=place, by=holder_of(request), now=database_now(), **fields)
        return self._shown(event, status=201)

    @extend_schema(summary="Change an event", examples=[examples.CHANGE])
    def partial_update(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Only what is given changes; a configuration is given whole. It holds from the next attempt of each job."""
        event = self.get_object()
        changes = self._changes(request, event)
        return self._shown(services.update_event(event=event, by=holder_of(request), now=database_now(), **changes))

    @extend_schema(
        summary="Create or update an event",
        responses={200: EventSerializer, 201: EventSerializer},
        examples=[examples.REPLACE],
    )
    @idempotent
    def update(self, request: Request, tag: str) -> Response:
        """The event as given, whether there was one or not: fields left out take their defaults."""
        event, made = services.create_or_update_event(
            application=application_of(request), by=holder_of(request), now=database_now(), **self._whole(request, tag)
        )
        return self._shown(event, status=201 if made else 200)

    @extend_schema(summary="Delete an event")
    def destroy(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """409, naming them, while jobs perform it."""
        services.delete_event(event=self.get_object(), by=holder_of(request), now=database_now())
        return Response(status=204)

    @extend_schema(
        summary="Try an event out",
        request=SampleSerializer,
        responses={200: TriedSerializer},
        examples=[examples.TRY],
        operation_id="events_try_stored",
    )
    @action(detail=True, methods=["post"], url_path="try")
    def tried(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Performed once, for real, with a sample input; nothing is stored. It takes 30 seconds at most."""
        event = self.get_object()
        fields = self._sample(request, SampleSerializer)
        if "connection" in fields:
            event.connection = fields["connection"]
        return self._try(event, fields.get("configuration"), fields["input"])

    @extend_schema(
        summary="Try out an event that is not stored",
        request=NewSampleSerializer,
        responses={200: TriedSerializer},
        examples=[examples.TRY_NEW],
        operation_id="events_try_new",
    )
    @action(detail=False, methods=["post"], url_path="try")
    def tried_new(self, request: Request) -> Response:
        """The same for a definition that is only given here."""
        fields = self._sample(request, NewSampleSerializer)
        event = Event(application=application_of(request), type=fields["type"], connection=fields.get("connection"))
        return self._try(event, fields["configuration"], fields["input"])

    def _try(self, event: Event, configuration: Any, sample: Any) -> Response:
        try:
            outcome, duration = try_event(
                event=event, configuration=configuration, sample=sample, by=holder_of(self.request), now=database_now()
            )
        except TooManyTrialsError as error:
            raise Throttled(wait=10, detail=str(error)) from None
        return Response(TriedSerializer({**told(outcome), "duration": duration}).data)

    def _sample(self, request: Request, serializer: type[SampleSerializer]) -> dict[str, Any]:
        sample = serializer(data=request.data, context={"application": application_of(request)})
        sample.is_valid(raise_exception=True)
        return cast("dict[str, Any]", sample.validated_data)


@extend_schema_view(
    list=extend_schema(
        summary="List connections",
        responses=ConnectionSerializer(many=True),
        parameters=[
            SEARCH,
            OpenApiParameter("type", str, enum=ConnectionType.values, description="Only those of this type."),
        ],
    ),
    retrieve=extend_schema(summary="Read a connection"),
)
class ConnectionViewSet(DefinitionViewSet[Connection]):
    """The connections of the token's application, newest first. A connection's address is its tag."""

    serializer_class = ConnectionSerializer
    queryset = Connection.objects.none()
    filters = CONNECTION_FILTERS

    def get_queryset(self) -> QuerySet[Connection]:
        """The application's connections, and how many events use each."""
        return Connection.objects.for_application(application_of(self.request)).with_users()

    @extend_schema(
        summary="Create a connection", responses={201: ConnectionSerializer}, examples=[examples.CREATE_CONNECTION]
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """409 when the tag is taken. Nothing is connected to before an event uses it."""
        fields, place = self._checked(request.data), application_of(request)
        connection = services.create_connection(application=place, by=holder_of(request), now=database_now(), **fields)
        return self._shown(connection, status=201)

    @extend_schema(summary="Change a connection", examples=[examples.CHANGE_CONNECTION])
    def partial_update(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Only what is given changes; a configuration is given whole. It holds from the next attempt of each event."""
        found = self.get_object()
        changes = self._changes(request, found)
        return self._shown(
            services.update_connection(connection=found, by=holder_of(request), now=database_now(), **changes)
        )

    @extend_schema(
        summary="Create or update a connection",
        responses={200: ConnectionSerializer, 201: ConnectionSerializer},
        examples=[examples.REPLACE_CONNECTION],
    )
    @idempotent
    def update(self, request: Request, tag: str) -> Response:
        """The connection as given, whether there was one or not: fields left out take their defaults."""
        connection, made = services.create_or_update_connection(
            application=application_of(request), by=holder_of(request), now=database_now(), **self._whole(request, tag)
        )
        return self._shown(connection, status=201 if made else 200)

    @extend_schema(summary="Delete a connection")
    def destroy(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """409, naming them, while events use it."""
        services.delete_connection(connection=self.get_object(), by=holder_of(request), now=database_now())
        return Response(status=204)
