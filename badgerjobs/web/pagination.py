"""Lists by cursor: a page costs the same however far one has read, and rows that arrive meanwhile shift nothing."""

from collections import OrderedDict
from typing import Any

from rest_framework.pagination import CursorPagination
from rest_framework.response import Response


class NewestFirst(CursorPagination):
    """`{"results", "next", "previous"}`, newest first: ids are made in the order of time."""

    ordering = "-id"
    page_size = 100
    page_size_query_param = "limit"
    max_page_size = 1000
    page_size_query_description = "How many rows a page may have: 1 to 1000, 100 by default."
    cursor_query_description = "Where the page begins: take it from `next` or `previous`."

    def get_paginated_response(self, data: Any) -> Response:
        """The page, and the addresses of its neighbours (null at the ends)."""
        return Response(OrderedDict(results=data, next=self.get_next_link(), previous=self.get_previous_link()))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The same, for OpenAPI."""
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }
