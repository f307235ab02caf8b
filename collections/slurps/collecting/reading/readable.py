"""The list of the collections that a token may read: what readers see of each, and where."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from badgerjobs.web.authentication import application_of
from badgerjobs.web.filters import narrow
from badgerjobs.web.pagination import NewestFirst
from badgerjobs.workspaces.models import Scope, Token
from slurps.collecting import examples
from slurps.collecting.reading.answers import etag_of
from slurps.collecting.reading.versions import nothing
from slurps.models import Collection, Version


class ReadableCollectionSerializer(serializers.Serializer[Collection]):
    """A collection, as its readers know it."""

    name = serializers.CharField(help_text="Its endpoint.")
    version = serializers.SerializerMethodField(help_text="The version that is read; null before the first.")
    rows = serializers.SerializerMethodField(help_text="How many rows that has.")
    filled_at = serializers.SerializerMethodField(help_text="When loading it began; null before the first.")
    etag = serializers.SerializerMethodField(
        help_text="The `ETag` of all its rows as JSON, at its `url`: another one whenever a run brought something else."
    )
    url = serializers.SerializerMethodField(help_text="Where its rows are read.")

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_version(self, collection: Collection) -> int | None:
        return _seen(collection).number

    @extend_schema_field(serializers.IntegerField())
    def get_rows(self, collection: Collection) -> int:
        return _seen(collection).rows

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_filled_at(self, collection: Collection) -> Any:
        seen = _seen(collection)
        return serializers.DateTimeField().to_representation(seen.created_at) if seen.pk else None

    @extend_schema_field(serializers.CharField())
    def get_etag(self, collection: Collection) -> str:
        return etag_of("", "json", collection, _seen(collection))

    @extend_schema_field(serializers.URLField())
    def get_url(self, collection: Collection) -> str:
        return reverse("collection-rows", args=[collection.name], request=self.context["request"])


def _seen(collection: Collection) -> Version:
    return collection.pinned or collection.current or nothing(collection)


class ReadableCollectionsView(generics.GenericAPIView[Collection]):
    """Newest first. Those that other tokens alone may read are not among them."""

    required_scope = Scope.COLLECTIONS_READ
    serializer_class = ReadableCollectionSerializer
    queryset = Collection.objects.none()
    pagination_class = NewestFirst

    @extend_schema(
        operation_id="collections_list",
        summary="List the collections that the token may read",
        responses=ReadableCollectionSerializer(many=True),
        examples=[examples.READABLE],
    )
    def get(self, request: Request) -> Response:
        token: Token = request.auth  # type: ignore[assignment]
        collections = Collection.objects.for_application(application_of(request)).readable_by(token.label).in_rows()
        page = self.paginate_queryset(narrow(collections, request, {}))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)
