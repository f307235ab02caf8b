"""How the reading of values stands in the reference of the API: the views themselves are none of DRF's."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from badgerjobs.web.serializers import BoundedListField, StrictSerializer
from badgerjobs.workspaces.models import Scope

MOST_KEYS = 1000

# What a value is: any JSON.
_ANY: dict[str, Any] = {"description": "Any JSON: what the source answered, or what its transform made of it."}

_HEADERS = [
    OpenApiParameter(name, str, OpenApiParameter.HEADER, response=True, description=says)
    for name, says in {
        "ETag": "The hash of the value.",
        "Last-Modified": "When the value last changed.",
        "Age": "Seconds since it was fetched.",
        "X-Cache": "`hit`: it is fresh. `stale`: it is not, and is being fetched. `miss`: it was fetched just now.",
    }.items()
]
_CONDITIONS = [
    OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="An `ETag`: 304 if it still holds."),
    OpenApiParameter(
        "If-Modified-Since", str, OpenApiParameter.HEADER, description="A `Last-Modified`: 304 if it still holds."
    ),
]

_NOT_NOW = {
    502: OpenApiResponse(description="The source fails, and there is no value that may be served instead."),
    503: OpenApiResponse(description="The value is being fetched, and there is none that may be served meanwhile."),
}


class KeysSerializer(StrictSerializer):
    """Which values are asked for."""

    keys = BoundedListField(
        max_length=MOST_KEYS,
        allow_empty=False,
        child=serializers.CharField(trim_whitespace=False, allow_blank=True),
        help_text=f"Names of keys: at most {MOST_KEYS:,}. Each is answered once.",
        error_messages={"empty": "Say which keys: ?key=NAME, as often as you like."},
    )


class ValuesSerializer(serializers.Serializer[Any]):
    """Many values at once."""

    values = serializers.DictField(child=serializers.JSONField(), help_text="Name → the JSON under it.")
    stale = serializers.ListField(
        child=serializers.CharField(), help_text="Names of those that are being fetched anew."
    )
    missing = serializers.ListField(
        child=serializers.CharField(),
        help_text="Names that no key has, or under which there is nothing that may be served now.",
    )


KEYS = OpenApiExample("two keys", value={"keys": ["product-1", "product-2"]}, request_only=True)


class ValueView(APIView):
    """The value of one key. Described here, answered in `api.py`."""

    required_scope = Scope.CACHE_READ
    path_words = {"name": "The key's name, percent-encoded."}

    @extend_schema(
        operation_id="cache_value_retrieve",
        summary="Read a cached value",
        parameters=[*_CONDITIONS, *_HEADERS],
        responses={(200, "application/json"): _ANY, 304: OpenApiResponse(description="You have it."), **_NOT_NOW},
    )
    def get(self, request: Request, name: str) -> Response:
        """The JSON as it is stored. The source is never called while you wait, unless the key was never filled."""
        raise NotImplementedError


class ValuesView(APIView):
    """The values of many keys. Described here, answered in `api.py`."""

    required_scope = Scope.CACHE_READ

    @extend_schema(
        operation_id="cache_values_retrieve",
        summary="Read many cached values",
        parameters=[
            OpenApiParameter("key", str, required=True, many=True, description="A name, as often as you like.")
        ],
        responses=ValuesSerializer,
    )
    def get(self, request: Request) -> Response:
        """Those of the keys that the query names."""
        raise NotImplementedError

    @extend_schema(
        operation_id="cache_values_read",
        summary="Read many cached values by a list of names",
        request=KeysSerializer,
        responses=ValuesSerializer,
        examples=[KEYS],
    )
    def post(self, request: Request) -> Response:
        """Those of the keys that the body names: more than an address has room for."""
        raise NotImplementedError
