"""An action: an HTTP request, made as a job's own is, with the job's input in it."""

import json
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from badgerjobs.lib import statuses
from badgerjobs.lib.handlebars import Filling, Place, TemplateError
from badgerjobs.outbound.client import HostBusy
from badgerjobs.runs.outcomes import Later, Outcome
from badgerjobs.web.definitions.configurations import Secrets
from badgerjobs.web.definitions.fields import BODY_BYTES, HeadersField, TemplateField, timeout_field
from badgerjobs.web.definitions.request_templates import (
    check_header_templates,
    check_url_template,
    filled_headers,
    origin_of,
    place_of_body,
)
from badgerjobs.web.serializers import StrictSerializer
from jobs.events.means import Means
from jobs.events.types import Occasion, Type
from jobs.perform import Request, make_call
from jobs.serializers import VerbField
from jobs.status_fields import AnyFailureField, StatusesField, wrong_together


class ActionConfiguration(StrictSerializer):
    """An HTTP request: a job's fields, with placeholders in the URL's path and query, the headers and the body."""

    endpoint = TemplateField(
        max_length=2000, help_text="The URL: absolute, http or https. Placeholders in path and query, percent-encoded."
    )
    verb = VerbField(default="POST", help_text="In any case: GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS.")
    headers = HeadersField(default=dict, help_text="Name → value, with placeholders. Credentials read back as stars.")
    body = TemplateField(
        default="",
        allow_blank=True,
        max_length=BODY_BYTES,
        help_text="Text to send. In a JSON body placeholders become JSON, in a form they are percent-encoded.",
    )
    timeout = timeout_field(most=900)
    fail_statuses = StatusesField(default=statuses.FAILURES, help_text="Which answers fail, like 400-599.")
    retry_statuses = AnyFailureField(default="", help_text="After which of them it is tried again; null: after any.")

    def validate_endpoint(self, endpoint: str) -> str:
        """Something that can be called, whoever it is for."""
        check_url_template(endpoint)
        return endpoint

    def validate_headers(self, headers: dict[str, str]) -> dict[str, str]:
        """Values are templates."""
        check_header_templates(headers)
        return headers

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What is tried again must have failed."""
        if wrong := wrong_together(attrs, None):
            raise serializers.ValidationError(wrong)
        return attrs


def prepare(occasion: Occasion) -> Request:
    """The request with the input in it. Raises TemplateError and UnsendableError."""
    given, values = occasion.configuration, occasion.values
    head = Filling(values, most=BODY_BYTES, what="its URL with the headers")
    text = Filling(values, most=BODY_BYTES, what="the body")
    headers = filled_headers(given["headers"], head)
    body = text.render(given["body"], place_of_body(given["headers"], given["body"])).encode()
    if len(body) > BODY_BYTES:
        raise TemplateError(
            f"With the input in it the body has {len(body):,} bytes: at most {BODY_BYTES:,} can be sent."
        )
    return Request(
        given["verb"],
        head.render(given["endpoint"], Place.URL),
        headers,
        body,
        given["timeout"],
        occasion.signing_key,
        occasion.previous_key,
        occasion.previous_until,
        given["fail_statuses"],
        given["retry_statuses"],
    )


def called(given: Mapping[str, Any], values: Mapping[str, Any] | None = None) -> str:
    """`POST https://example.com/7`: whom it calls with these values; empty where they do not tell. None: as it is."""
    if values is None:
        return f"{given['verb']} {given['endpoint']}"
    try:
        url = Filling(values, most=BODY_BYTES, what="its URL").render(given["endpoint"], Place.URL)
    except TemplateError:
        return ""
    return f"{given['verb']} {url}"


async def perform(occasion: Occasion, request: Request, means: Means) -> Outcome:
    """One signed call, and its answer as the result, as a job's own call has it."""
    try:
        return await make_call(occasion.run_id, request, means.client)
    except HostBusy as busy:
        return Later(busy.wait_s)


def party(configuration: Mapping[str, Any]) -> Any:
    """Whom the headers are sent to."""
    return origin_of(configuration.get("endpoint"))


def json_bytes(value: Any) -> bytes:
    """JSON as it is sent, and signed."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


ACTION = Type(ActionConfiguration, prepare, perform, Secrets(headers=("headers",), party=party))
