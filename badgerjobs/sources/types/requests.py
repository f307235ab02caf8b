"""What sources that are asked by an HTTP request of their own have in common: method, query and body."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rest_framework import serializers

from badgerjobs.lib.handlebars import Place, TemplateError
from badgerjobs.outbound.calls import Call
from badgerjobs.outbound.headers import sensitive
from badgerjobs.sources.authentication import with_query
from badgerjobs.sources.templates import SourceTemplateField, filling_of
from badgerjobs.sources.types import ANSWER_BYTES
from badgerjobs.web.definitions.fields import BODY_BYTES
from badgerjobs.web.definitions.request_templates import filled_headers, place_of_body
from badgerjobs.web.serializers import BoundedDictField, OneOfField

METHODS = ("GET", "POST", "PUT", "PATCH")
MOST_PARAMETERS = 100
TOO_LONG = "With the values in it the body has {:,} bytes: at most {:,} can be sent."


class MethodField(OneOfField):
    """An HTTP method, in any case; upper case when it comes out."""

    def to_internal_value(self, data: Any) -> str:
        """Upper case."""
        return str(super().to_internal_value(data.upper() if isinstance(data, str) else data))


class RequestConfiguration(serializers.Serializer[Any]):
    """An HTTP request, with placeholders in the URL's path and query, the headers and the body."""

    method = MethodField(METHODS, default="GET", help_text="In any case: GET, POST, PUT or PATCH.")
    query = BoundedDictField(
        child=SourceTemplateField(max_length=2000, allow_blank=True),
        most=MOST_PARAMETERS,
        default=dict,
        help_text="Parameters behind those of the URL: name → value, with placeholders, percent-encoded.",
    )
    body = SourceTemplateField(
        default="",
        allow_blank=True,
        max_length=BODY_BYTES,
        help_text="Text to send. In a JSON body placeholders become JSON, in a form they are percent-encoded.",
    )


def templates(given: Mapping[str, Any]) -> Iterator[str]:
    """The texts with placeholders, in order."""
    yield given["url"]
    yield from given["query"].values()
    yield from given["headers"].values()
    yield given["body"]


def request_of(
    given: Mapping[str, Any], values: Mapping[str, Any], now: datetime, in_body: Mapping[str, Any] | None = None
) -> Call:
    """The call with the values in it; `in_body`, as the body has them. Raises TemplateError and UnsendableError."""
    head = filling_of(values, now, "its URL with the headers")
    text = filling_of(values if in_body is None else in_body, now, "the body")
    query = {name: head.render(value) for name, value in given["query"].items()}
    headers = filled_headers(given["headers"], head)
    place = place_of_body(given["headers"], given["body"])
    body = text.render(given["body"], place).encode(errors="replace")
    if len(body) > BODY_BYTES:
        raise TemplateError(TOO_LONG.format(len(body), BODY_BYTES))
    if place is Place.JSON and "content-type" not in map(str.lower, headers):
        headers["Content-Type"] = "application/json"
    return Call(
        given["method"],
        with_query(head.render(given["url"], Place.URL), query),
        headers=list(headers.items()),
        body=body,
        timeout_s=given["timeout"],
        keep_bytes=ANSWER_BYTES,
        read_bytes=ANSWER_BYTES,
        sensitive=sensitive(headers),
    )
