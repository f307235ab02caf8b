"""Sources by REST."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.runs.fleet import database_now
from badgerjobs.sources import examples, services
from badgerjobs.sources.files.keeping import FileError, Keeping
from badgerjobs.sources.files.receiving import room, taken_of
from badgerjobs.sources.models import DataSource, SourceType
from badgerjobs.sources.serializers import (
    NewTestSerializer,
    SourceSerializer,
    TestSerializer,
    TransformedSerializer,
    TransformSerializer,
    TrialSerializer,
    UploadSerializer,
)
from badgerjobs.sources.trials import told, try_source, try_transform
from badgerjobs.sources.types import type_of
from badgerjobs.web.asked import asked_of
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.definitions.fields import type_named
from badgerjobs.web.definitions.rest import SEARCH, DefinitionViewSet, Verbs
from badgerjobs.web.filters import one_of
from badgerjobs.web.idempotency import idempotent
from badgerjobs.web.problems import Conflict, Refused

SOURCE_FILTERS = {
    "search": lambda sources, value: sources.search(value),
    "type": lambda sources, value: sources.filter(type__in=one_of(SourceType.values, value, type_named)),
}


@extend_schema_view(
    list=extend_schema(
        summary="List sources",
        responses=SourceSerializer(many=True),
        parameters=[
            SEARCH,
            OpenApiParameter("type", str, enum=SourceType.values, description="Only those of this type."),
        ],
    ),
    retrieve=extend_schema(summary="Read a source"),
)
class SourceViewSet(DefinitionViewSet[DataSource]):
    """The data sources of the token's application, newest first. A source's address is its tag."""

    what = "source"
    verbs = Verbs(
        "source",
        services.create_source,
        services.update_source,
        services.create_or_update_source,
        services.delete_source,
        database_now,
    )
    serializer_class = SourceSerializer
    queryset = DataSource.objects.none()
    filters = SOURCE_FILTERS

    def get_queryset(self) -> QuerySet[DataSource]:
        """The application's sources, and how many keys use each."""
        return DataSource.objects.for_application(application_of(self.request)).with_keys().select_related("file")

    @extend_schema(
        summary="Create a source",
        responses={201: SourceSerializer},
        examples=[examples.CREATE, examples.CREATE_GRAPHQL],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """409 when the tag is taken. Nothing is called before a key uses it, or it is tested."""
        return self._create(request)

    @extend_schema(summary="Change a source", examples=[examples.CHANGE])
    def partial_update(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Only what is given changes; a configuration is given whole. It holds from the next fetch on."""
        return self._change(request)

    @extend_schema(
        summary="Create or update a source",
        responses={200: SourceSerializer, 201: SourceSerializer},
        examples=[examples.REPLACE],
    )
    @idempotent
    def update(self, request: Request, tag: str) -> Response:
        """The source as given, whether there was one or not: fields left out take their defaults."""
        return self._put(request, tag)

    @extend_schema(summary="Delete a source")
    def destroy(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """409, naming them, while cache keys use it."""
        return self._delete(request)

    @extend_schema(
        summary="Upload a source's file",
        request={"application/octet-stream": bytes, "multipart/form-data": UploadSerializer},
        responses={200: SourceSerializer},
        parameters=[OpenApiParameter("name", str, description="What the file is called, where the body is all of it.")],
        examples=[examples.UPLOAD],
        operation_id="sources_upload",
    )
    @action(detail=True, methods=["put"], url_path="file", parser_classes=[])
    def upload(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Of the types CSV_FILE and JSONL_FILE. It takes the place of the one before it when all of it has come."""
        source, by, now = self.get_object(), holder_of(request), database_now()

        def begin(name: str) -> Keeping:
            return Keeping(source.application, name, by=by, now=now, tag=source.tag)

        if not type_of(source.type).takes_file:
            raise Conflict(f"A source of the type {source.type} has no file: it is called.")
        try:
            with room(source.application_id):
                file = taken_of(request._request, begin)
        except FileError as error:
            raise Refused(str(error), error.status) from None
        services.update_source(source=source, by=by, now=now, file=file)
        return self._shown(self.get_object())

    @extend_schema(
        summary="Test a source",
        request=TestSerializer,
        responses={200: TrialSerializer},
        examples=[examples.TEST],
        operation_id="sources_test_stored",
    )
    @action(detail=True, methods=["post"], url_path="test")
    def tested(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Called once, for real, with these values; nothing is kept. It takes 30 seconds at most."""
        source = self.get_object()
        fields = asked_of(request, TestSerializer)
        return self._try(source, fields.get("configuration"), fields["values"])

    @extend_schema(
        summary="Test a source that is not stored",
        request=NewTestSerializer,
        responses={200: TrialSerializer},
        examples=[examples.TEST_NEW],
        operation_id="sources_test_new",
    )
    @action(detail=False, methods=["post"], url_path="test")
    def tested_new(self, request: Request) -> Response:
        """The same for a definition that is only given here."""
        fields = asked_of(request, NewTestSerializer)
        source = DataSource(application=application_of(request), type=fields["type"])
        return self._try(source, fields["configuration"], fields["values"])

    @extend_schema(
        summary="Test a transform",
        request=TransformSerializer,
        responses={200: TransformedSerializer},
        examples=[examples.TRANSFORM],
        operation_id="sources_test_transform",
    )
    @action(detail=False, methods=["post"], url_path="test-transform")
    def tested_transform(self, request: Request) -> Response:
        """What it makes of an example of an answer. Nothing is called."""
        fields = asked_of(request, TransformSerializer)
        done = try_transform(application=application_of(request), **fields)
        return Response(TransformedSerializer(told(done)).data)

    def _try(self, source: DataSource, configuration: Any, values: Any) -> Response:
        trial = try_source(
            source=source, configuration=configuration, values=values, by=holder_of(self.request), now=database_now()
        )
        return Response(TrialSerializer(told(trial)).data)
