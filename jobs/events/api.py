"""Events and connections by REST."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.asked import asked_of
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.definitions.fields import type_named
from badgerjobs.web.definitions.rest import SEARCH, DefinitionViewSet, Verbs
from badgerjobs.web.filters import one_of
from badgerjobs.web.idempotency import idempotent
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
    "type": lambda events, value: events.filter(type__in=one_of(EventType.values, value, type_named)),
    "connection": lambda events, value: events.filter(connection__tag=value),
}
CONNECTION_FILTERS = {
    "search": lambda connections, value: connections.search(value),
    "type": lambda connections, value: connections.filter(type__in=one_of(ConnectionType.values, value, type_named)),
}


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

    what = "event"
    verbs = Verbs(
        "event",
        services.create_event,
        services.update_event,
        services.create_or_update_event,
        services.delete_event,
        database_now,
    )
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
        return self._create(request)

    @extend_schema(summary="Change an event", examples=[examples.CHANGE])
    def partial_update(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Only what is given changes; a configuration is given whole. It holds from the next attempt of each job."""
        return self._change(request)

    @extend_schema(
        summary="Create or update an event",
        responses={200: EventSerializer, 201: EventSerializer},
        examples=[examples.REPLACE],
    )
    @idempotent
    def update(self, request: Request, tag: str) -> Response:
        """The event as given, whether there was one or not: fields left out take their defaults."""
        return self._put(request, tag)

    @extend_schema(summary="Delete an event")
    def destroy(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """409, naming them, while jobs perform it."""
        return self._delete(request)

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
        fields = asked_of(request, SampleSerializer)
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
        fields = asked_of(request, NewSampleSerializer)
        event = Event(application=application_of(request), type=fields["type"], connection=fields.get("connection"))
        return self._try(event, fields["configuration"], fields["input"])

    def _try(self, event: Event, configuration: Any, sample: Any) -> Response:
        outcome, duration = try_event(
            event=event, configuration=configuration, sample=sample, by=holder_of(self.request), now=database_now()
        )
        return Response(TriedSerializer({**told(outcome), "duration": duration}).data)


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

    what = "connection"
    verbs = Verbs(
        "connection",
        services.create_connection,
        services.update_connection,
        services.create_or_update_connection,
        services.delete_connection,
        database_now,
    )
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
        return self._create(request)

    @extend_schema(summary="Change a connection", examples=[examples.CHANGE_CONNECTION])
    def partial_update(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Only what is given changes; a configuration is given whole. It holds from the next attempt of each event."""
        return self._change(request)

    @extend_schema(
        summary="Create or update a connection",
        responses={200: ConnectionSerializer, 201: ConnectionSerializer},
        examples=[examples.REPLACE_CONNECTION],
    )
    @idempotent
    def update(self, request: Request, tag: str) -> Response:
        """The connection as given, whether there was one or not: fields left out take their defaults."""
        return self._put(request, tag)

    @extend_schema(summary="Delete a connection")
    def destroy(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """409, naming them, while events use it."""
        return self._delete(request)
