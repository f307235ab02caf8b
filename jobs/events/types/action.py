"""An action: an HTTP request, made as a job's own is, with the job's input in it."""

import json
import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from badgerjobs.lib import handlebars, statuses
from badgerjobs.lib.handlebars import Filling, Place, TemplateError
from badgerjobs.outbound.client import HostBusy
from badgerjobs.outbound.headers import check_headers
from badgerjobs.outbound.targets import UnsendableError, check_url, target_of
from badgerjobs.runs.outcomes import Later, Outcome
from badgerjobs.web.definitions.configurations import Secrets
from badgerjobs.web.definitions.fields import BODY_BYTES, HeadersField, TemplateField, timeout_field
from badgerjobs.web.serializers import StrictSerializer
from jobs.events.means import Means
from jobs.events.types import Occasion, Type
from jobs.perform import Request, make_call
from jobs.serializers import VerbField
from jobs.status_fields import AnyFailureField, StatusesField, wrong_together

# Up to where a URL says whom it calls.
ORIGIN = re.compile(r"[^/]*//[^/?#]*")


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
        """Something that can be called, whoever it is for: a host that the input chose could be anybody's."""
        origin = ORIGIN.match(endpoint)
        if origin and "{{" in origin[0]:
            raise serializers.ValidationError(
                "Scheme, host and port are fixed: placeholders may stand in the path and the query only."
            )
        try:
            check_url("".join(f"{plain}x" if path else plain for plain, path in handlebars.split(endpoint)))
        except UnsendableError as error:
            raise serializers.ValidationError(str(error)) from None
        return endpoint

    def validate_headers(self, headers: dict[str, str]) -> dict[str, str]:
        """Values are templates."""
        for name, value in headers.items():
            try:
                handlebars.check(value)
            except TemplateError as error:
                raise serializers.ValidationError(f"{name}: {error}") from None
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
    headers = {name: head.render(value, Place.HEADER) for name, value in given["headers"].items()}
    check_headers(headers.items())
    body = text.render(given["body"], place_of(given)).encode()
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


def place_of(given: Mapping[str, Any]) -> Place:
    """How values are escaped in its body: as its Content-Type says, and without one as JSON where it begins like it."""
    types = (value for name, value in given["headers"].items() if name.lower() == "content-type")
    kind = next(types, "").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return Place.JSON
    if kind == "application/x-www-form-urlencoded":
        return Place.FORM
    begins = given["body"].lstrip()[:2]
    return Place.JSON if not kind and begins[:1] in {"{", "["} and begins != "{{" else Place.TEXT


async def perform(occasion: Occasion, request: Request, means: Means) -> Outcome:
    """One signed call, and its answer as the result, as a job's own call has it."""
    try:
        return await make_call(occasion.run_id, request, means.client)
    except HostBusy as busy:
        return Later(busy.wait_s)


def party(configuration: Mapping[str, Any]) -> Any:
    """Whom the headers are sent to."""
    try:
        return target_of(ORIGIN.match(configuration["endpoint"])[0]).origin  # type: ignore[index]  # a URL has one
    except (UnsendableError, KeyError, TypeError):
        return None


def json_bytes(value: Any) -> bytes:
    """JSON as it is sent, and signed."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


ACTION = Type(ActionConfiguration, prepare, perform, Secrets(headers=("headers",), party=party))
