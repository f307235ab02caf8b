"""Lists by cursor: a page costs the same however far one has read, and rows that arrive meanwhile shift nothing."""

import json
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError as NoValue
from rest_framework.pagination import BasePagination, Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from badgerjobs.lib import vault
from badgerjobs.web.problems import Invalid


def framed(rows: dict[str, Any]) -> dict[str, Any]:
    """The frame of every list, for OpenAPI, around a schema of its rows."""
    link = {"type": "string", "format": "uri", "nullable": True, "example": None}
    return {
        "type": "object",
        "required": ["results", "next", "previous"],
        "properties": {
            "results": rows,
            "next": {**link, "description": "The address of the page after this one; null on the last."},
            "previous": {**link, "description": "The address of the page before this one; null on the first."},
        },
    }


class NewestFirst(CursorPagination):
    """`{"results", "next", "previous"}`, newest first: ids are made in the order of time.

    Cursors are encrypted: ids count the rows of all tenants, which are nobody's business.
    """

    ordering = "-pk"
    page_size = 100
    page_size_query_param = "limit"
    max_page_size = 1000
    page_size_query_description = "How many rows a page may have: 1 to 1000, 100 by default."
    cursor_query_description = "Where the page begins: take it from `next` or `previous`."

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """The rows of one page. Raises Invalid for a `limit` or a `cursor` that is none."""
        self._key = queryset.model._meta.pk
        return super().paginate_queryset(queryset, request, view)

    def get_page_size(self, request: Request) -> int:
        """How many rows were asked for."""
        given = request.query_params.get("limit")
        if given is None:
            return self.page_size
        if not (given.isascii() and given.isdigit() and 1 <= int(given[:9]) <= self.max_page_size):
            raise Invalid(limit=f"Must be a whole number from 1 to {self.max_page_size}.")
        return int(given)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Where to begin. Raises Invalid for what we did not make, or made for a list with keys of another sort."""
        given = request.query_params.get(self.cursor_query_param)
        if not given:
            return None
        try:
            cursor = Cursor(*json.loads(vault.decrypt(_padded(given), settings.ENCRYPTION_KEYS)))
            self._key.to_python(cursor.position)
        except (vault.CannotDecryptError, NoValue):
            raise Invalid(cursor="This is no cursor of ours: follow the addresses in `next` and `previous`.") from None
        return cursor

    def encode_cursor(self, cursor: Cursor) -> str:
        """The address of the page that begins there."""
        # Without its padding it stands in an address as it is.
        encrypted = vault.encrypt(json.dumps(cursor), settings.ENCRYPTION_KEYS).rstrip("=")
        return replace_query_param(str(self.base_url), self.cursor_query_param, encrypted)

    def get_paginated_response(self, data: Any) -> Response:
        """The page, and the addresses of its neighbours (null at the ends)."""
        return Response({"results": data, "next": self.get_next_link(), "previous": self.get_previous_link()})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The same, for OpenAPI."""
        return framed(schema)


def _padded(given: str) -> str:
    return given + "=" * (-len(given) % 4)


class HeavyRows(NewestFirst):
    """The same for rows that carry bodies: fewer at most."""

    max_page_size = 100
    page_size_query_description = "How many rows a page may have: 1 to 100, 100 by default."


class OnePage(BasePagination):
    """The frame of a page around a list that is always whole: it has no neighbours."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:  # noqa: ARG002
        """All of it."""
        return list(queryset)

    def get_paginated_response(self, data: Any) -> Response:
        """All of it, framed."""
        return Response({"results": data, "next": None, "previous": None})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The same, for OpenAPI."""
        return framed(schema)
