"""The address under which a collection's rows are read."""

from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from badgerjobs.web.authentication import application_of
from badgerjobs.workspaces.models import Scope
from slurps.collecting.reading import answers, cursors, seats
from slurps.collecting.reading.asking import MOST, USUAL, asked_of, filters_of
from slurps.collecting.reading.formats import TYPES
from slurps.collecting.reading.rights import ensure_may_read
from slurps.collecting.reading.statements import Reader
from slurps.collecting.reading.versions import version_for
from slurps.collecting.snapshot import in_words, one_look
from slurps.models import Collection
from slurps.storing.columns import types_of

NO_ENDPOINT = "There is no collection with the name “{}” in this application."

_ROW: dict[str, Any] = {"type": "object", "additionalProperties": True}
_ROWS: dict[str, Any] = {"type": "array", "items": _ROW}


def _number(words: str) -> dict[str, Any]:
    return {"type": "integer", "nullable": True, "description": words}


_FRAME: dict[str, Any] = {
    "type": "object",
    "required": [
        "page",
        "next",
        "previous",
        "last",
        "count",
        "limit",
        "version",
        "cursor",
        "cursor_before",
        "items",
    ],
    "properties": {
        "page": _number("The number of this page, from 1; null by cursor."),
        "next": _number("The number of the page after it."),
        "previous": _number("The number of the page before it."),
        "last": _number("The number of the last page; null by cursor."),
        "count": _number("How many rows all pages have; null by cursor."),
        "limit": _number("How many rows a page may have."),
        "version": _number("The version that was read; null before the first."),
        "cursor": {"type": "string", "nullable": True, "description": "`$cursor` of the page after it."},
        "cursor_before": {"type": "string", "nullable": True, "description": "`$cursor` of the page before it."},
        "items": {**_ROWS, "description": "The rows."},
    },
}


def _ours(name: str, type_: Any, words: str) -> OpenApiParameter:
    return OpenApiParameter(name, type_, description=words)


_PARAMETERS = [
    _ours("$limit", int, f"How many rows a page has: 1 to {MOST:,}. All rows without it, and without the next three."),
    _ours("$page", int, f"The number of a page, from 1; of {USUAL} rows unless told otherwise."),
    _ours("$cursor", str, "Where the page begins: `cursor` or `cursor_before` of a page, or its header `Link`."),
    _ours("$with_meta", bool, "An object around the rows, with the numbers of pages and how many rows there are."),
    _ours("$sort", str, "A field, or -field; `$position` and `-$position` for the order in which they came."),
    _ours("$fields", str, "Which fields, with commas; nested ones by dots."),
    _ours("$search", str, "Words that a row has somewhere in its values, in any case."),
    _ours("version", int, "The number of the version to read. `$version` is the same."),
    _ours("$format", str, "`json`, `jsonl` or `csv`; what `Accept` says unless given."),
    OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="An `ETag`: 304 if it still holds."),
    *(
        OpenApiParameter(name, str, OpenApiParameter.HEADER, response=True, description=words)
        for name, words in {
            "ETag": "Of the version and the query.",
            answers.VERSION: "The version that was read; 0 before the first.",
            "Link": "The page after this one.",
        }.items()
    ),
]


class AnyForm(BaseContentNegotiation):
    """Which form is meant, `$format` and `Accept` say; and `format` may be a column."""

    def select_parser(self, request: Request, parsers: Any) -> Any:  # noqa: ARG002
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:  # noqa: ARG002
        return renderers[0], renderers[0].media_type


class CollectionRowsView(APIView):
    """The rows of a collection, as its last finished run left them, or as they were in another version."""

    required_scope = Scope.COLLECTIONS_READ
    content_negotiation_class = AnyForm
    path_words = {"endpoint": "The collection's name."}

    @extend_schema(
        operation_id="collections_rows",
        summary="Read a collection's rows",
        parameters=_PARAMETERS,
        responses={
            (200, "application/json"): {"oneOf": [_ROWS, _FRAME]},
            (200, "application/x-ndjson"): {"type": "string"},
            (200, "text/csv"): {"type": "string"},
            304: OpenApiResponse(description="You have it."),
        },
    )
    def get(self, request: Request, endpoint: str) -> HttpResponseBase:
        """All other names are fields: `age=30`, `age__gte=18`, `address.city__in=Bern,Basel`.

        Operators: eq, ne, lt, lte, gt, gte, in, contains, startswith, isnull.
        """
        with ExitStack() as look, in_words():
            look.enter_context(one_look())
            return self._answered(request, self._collection(request, endpoint), look)

    def _collection(self, request: Request, endpoint: str) -> Collection:
        application = application_of(request)
        collections = Collection.objects.for_application(application).select_related("current", "pinned")
        collection = collections.filter(name=endpoint).first()
        if collection is None:
            raise NotFound(NO_ENDPOINT.format(endpoint))
        ensure_may_read(request, collection)
        collection.application = application
        return collection

    def _answered(self, request: Request, collection: Collection, look: ExitStack) -> HttpResponseBase:
        http = request._request
        asked = asked_of(http.GET, http.headers.get("Accept", ""))
        mark = cursors.read(asked.cursor, collection=collection.pk) if asked.cursor else None
        version = version_for(collection, asked.version, mark)
        asked = replace(asked, filters=filters_of(http.GET, types_of(version.known)))
        if mark:
            cursors.ensure_same(mark, cursors.query_of(asked))
        reader = Reader(asked, collection, version)
        etag = answers.etag_of(http.META.get("QUERY_STRING", ""), asked.format, collection, version)
        if answers.unchanged(http, etag):
            return answers.dressed(HttpResponse(status=304), version, etag)
        if http.method == "HEAD":
            return answers.dressed(HttpResponse(content_type=TYPES[asked.format]), version, etag)
        seat = seats.Seat(collection.application_id)
        if seats.looks_long(reader, version):
            look.callback(seat.hold())
        if asked.limit:
            response = answers.paged(http, asked, reader, version, mark)
        else:
            response = answers.whole(asked, reader, version, look, seat)
        return answers.dressed(seats.seated(response, seat), version, etag)
