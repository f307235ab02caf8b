"""Events and connections by REST."""

from typing import Any, cast

from django.db.models import Count, QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.filters import narrow, one_of
from badgerjobs.web.idempotency import idempotent
from badgerjobs.web.pagination import HeavyRows
from badgerjobs.web.problems import Invalid
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
from jobs.trial_calls import TooManyTrialsError

EVENT_FILTERS = {
    "search": lambda events, value: events.search(value),
    "type": lambda events, value: events.filter(type__in=one_of(EventType.values, value.upper())),
    "connection": lambda events, value: events.filter(connection__tag=value),
}
CONNECTION_FILTERS = {
    "search": lambda connections, value: connections.search(value),
    "type": lambda connections, value: connections.filter(type__in=one_of(ConnectionType.values, value.upper())),
}
PATH_WORDS = {"tag": "Its tag, percent-encoded."}


class EventViewSet(viewsets.GenericViewSet[Event]):
    """The events of the token's application, newest first. An event's address is its tag."""

    serializer_class = EventSerializer
    queryset = Event.objects.none()
    pagination_class = HeavyRows
    lookup_field = lookup_url_kwarg = "tag"
    path_words = PATH_WORDS
    lookup_value_regex = r"[^/\x00]+"

    def get_queryset(self) -> QuerySet[Event]:
        """The application's events with their connections, and how many jobs perform each."""
        events = Event.objects.for_application(application_of(self.request))
        return events.whole().annotate(jobs_count=Count("jobs"))

    def get_object(self) -> Event:
        """The event of the address. Raises NotFound, alike where there is none and where it is another's."""
        try:
            return super().get_object()
        except Http404:
            raise NotFound(f"There is no event with the tag “{self.kwargs['tag']}” in this application.") from None

    @extend_schema(
        summary="List events",
        responses=EventSerializer(many=True),
        parameters=[
            OpenApiParameter("search", str, description="Part of the tag or the name."),
            OpenApiParameter("type", str, enum=EventType.values, description="Only those of this type."),
            OpenApiParameter("connection", str, description="Only those that use the connection with this tag."),
        ],
    )
    def list(self, request: Request) -> Response:
        page: Any = self.paginate_queryset(narrow(self.get_queryset(), request, EVENT_FILTERS))
        return self.get_paginated_response(EventSerializer(page, many=True).data)

    @extend_schema(summary="Create an event", responses={201: EventSerializer}, examples=[examples.CREATE])
    @idempotent
    def create(self, request: Request) -> Response:
        """409 when the tag is taken. Try it out before jobs perform it."""
        fields = self._checked(request.data)
        event = services.create_event(
            application=application_of(request), by=holder_of(request), now=database_now(), **fields
        )
        return Response(EventSerializer(event).data, status=201)

    @extend_schema(summary="Read an event")
    def retrieve(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        return Response(EventSerializer(self.get_object()).data)

    @extend_schema(summary="Change an event", examples=[examples.CHANGE])
    def partial_update(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Only what is given changes; a configuration is given whole. It holds from the next attempt of each job."""
        event = self.get_object()
        fields = self._checked(request.data, event, partial=True)
        fields.pop("tag", None)
        return Response(
            EventSerializer(
                services.update_event(event=event, by=holder_of(request), now=database_now(), **fields)
            ).data
        )

    @extend_schema(
        summary="Create or update an event",
        responses={200: EventSerializer, 201: EventSerializer},
        examples=[examples.REPLACE],
    )
    @idempotent
    def update(self, request: Request, tag: str) -> Response:
        """The event as given, whether there was one or not: fields left out take their defaults."""
        data = with_tag(request, tag)
        fields = {"name": tag, **self._checked(data, self.get_queryset().filter(tag=tag).first())}
        event, made = services.create_or_update_event(
            application=application_of(request), by=holder_of(request), now=database_now(), **{**fields, "tag": tag}
        )
        return Response(EventSerializer(event).data, status=201 if made else 200)

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

    def _checked(self, data: Any, event: Event | None = None, *, partial: bool = False) -> dict[str, Any]:
        context = {"application": application_of(self.request)}
        serializer = EventSerializer(event, data=data, partial=partial, context=context)
        serializer.is_valid(raise_exception=True)
        return cast("dict[str, Any]", serializer.validated_data)


class ConnectionViewSet(viewsets.GenericViewSet[Connection]):
    """The connections of the token's application, newest first. A connection's address is its tag."""

    serializer_class = ConnectionSerializer
    queryset = Connection.objects.none()
    pagination_class = HeavyRows
    lookup_field = lookup_url_kwarg = "tag"
    path_words = PATH_WORDS
    lookup_value_regex = r"[^/\x00]+"

    def get_queryset(self) -> QuerySet[Connection]:
        """The application's connections, and how many events use each."""
        connections = Connection.objects.for_application(application_of(self.request))
        return connections.annotate(events_count=Count("events"))

    def get_object(self) -> Connection:
        """The connection of the address. Raises NotFound, alike where there is none and where it is another's."""
        try:
            return super().get_object()
        except Http404:
            raise NotFound(f"There is no connection with the tag “{self.kwargs['tag']}” in this application.") from None

    @extend_schema(
        summary="List connections",
        responses=ConnectionSerializer(many=True),
        parameters=[
            OpenApiParameter("search", str, description="Part of the tag or the name."),
            OpenApiParameter("type", str, enum=ConnectionType.values, description="Only those of this type."),
        ],
    )
    def list(self, request: Request) -> Response:
        page: Any = self.paginate_queryset(narrow(self.get_queryset(), request, CONNECTION_FILTERS))
        return self.get_paginated_response(ConnectionSerializer(page, many=True).data)

    @extend_schema(
        summary="Create a connection", responses={201: ConnectionSerializer}, examples=[examples.CREATE_CONNECTION]
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """409 when the tag is taken. Nothing is connected to before an event uses it."""
        fields = self._checked(request.data)
        connection = services.create_connection(
            application=application_of(request), by=holder_of(request), now=database_now(), **fields
        )
        return Response(ConnectionSerializer(connection).data, status=201)

    @extend_schema(summary="Read a connection")
    def retrieve(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        return Response(ConnectionSerializer(self.get_object()).data)

    @extend_schema(summary="Change a connection", examples=[examples.CHANGE_CONNECTION])
    def partial_update(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Only what is given changes; a configuration is given whole. It holds from the next attempt of each event."""
        found = self.get_object()
        fields = self._checked(request.data, found, partial=True)
        fields.pop("tag", None)
        changed = services.update_connection(connection=found, by=holder_of(request), now=database_now(), **fields)
        return Response(ConnectionSerializer(changed).data)

    @extend_schema(
        summary="Create or update a connection",
        responses={200: ConnectionSerializer, 201: ConnectionSerializer},
        examples=[examples.REPLACE_CONNECTION],
    )
    @idempotent
    def update(self, request: Request, tag: str) -> Response:
        """The connection as given, whether there was one or not: fields left out take their defaults."""
        data = with_tag(request, tag)
        fields = {"name": tag, **self._checked(data, self.get_queryset().filter(tag=tag).first())}
        connection, made = services.create_or_update_connection(
            application=application_of(request), by=holder_of(request), now=database_now(), **{**fields, "tag": tag}
        )
        return Response(ConnectionSerializer(connection).data, status=201 if made else 200)

    @extend_schema(summary="Delete a connection")
    def destroy(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """409, naming them, while events use it."""
        services.delete_connection(connection=self.get_object(), by=holder_of(request), now=database_now())
        return Response(status=204)

    def _checked(self, data: Any, found: Connection | None = None, *, partial: bool = False) -> dict[str, Any]:
        serializer = ConnectionSerializer(found, data=data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return cast("dict[str, Any]", serializer.validated_data)


def with_tag(request: Request, tag: str) -> dict[str, Any]:
    """What a PUT gives, with the tag of the address. Raises Invalid for another one."""
    data: dict[str, Any] = request.data  # type: ignore[assignment]  # the parser takes nothing but objects
    if data.get("tag", tag) != tag:
        raise Invalid(tag=f"The address says “{tag}”: leave the tag out, or give the same.")
    return {**data, "tag": tag}
