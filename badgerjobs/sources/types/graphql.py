"""GraphQL: one query with typed variables, whose whole answer is the value."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from badgerjobs.lib.handlebars import Place, TemplateError
from badgerjobs.outbound.calls import Answer, Call
from badgerjobs.outbound.headers import sensitive
from badgerjobs.sources import answers
from badgerjobs.sources.answers import AnswerError, Reading
from badgerjobs.sources.authentication import SECRETS
from badgerjobs.sources.templates import SourceTemplateField, declared, filling_of
from badgerjobs.sources.typed import TYPES, typed
from badgerjobs.sources.types import ANSWER_BYTES, Type
from badgerjobs.sources.types.endpoint import EndpointConfiguration
from badgerjobs.web.definitions.fields import BODY_BYTES
from badgerjobs.web.definitions.request_templates import filled_headers
from badgerjobs.web.serializers import BoundedListField, OneOfField, StrictSerializer

MOST_VARIABLES = 100
LONGEST_QUERY = 100_000
NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")
OURS = {"Content-Type": "application/json", "Accept": "application/graphql-response+json, application/json;q=0.9"}
TOO_LONG = "With the values in it the query has {:,} bytes: at most {:,} can be sent."


class NameField(serializers.CharField):
    """A name as GraphQL has them."""

    def to_internal_value(self, data: Any) -> str:
        """Without the dollar sign, which some write."""
        name = super().to_internal_value(data).removeprefix("$")
        if name and not NAME.fullmatch(name):
            raise serializers.ValidationError("A name in GraphQL has letters, digits and underscores, no digit first.")
        return name


class VariableSerializer(StrictSerializer):
    """A variable of the query: the value's type is honoured when the request is made."""

    name = NameField(max_length=200, help_text="As the query has it, without the dollar sign.")
    type = OneOfField(TYPES, default="String", help_text=f"{', '.join(TYPES)}: what the value becomes.")
    value = SourceTemplateField(
        default="", allow_blank=True, help_text="With placeholders. One placeholder alone, filled with null, is null."
    )


class GraphQLConfiguration(EndpointConfiguration):
    """A query and its variables, sent by POST as JSON."""

    query = serializers.CharField(
        max_length=LONGEST_QUERY, trim_whitespace=False, help_text="The document. What changes belongs into variables."
    )
    variables = BoundedListField(
        child=VariableSerializer(),
        max_length=MOST_VARIABLES,
        default=list,
        help_text="Its variables: name, type (String, Int, Float, Boolean, ID or JSON) and value.",
    )
    operation_name = NameField(
        default="", allow_blank=True, max_length=200, help_text="Which operation is run, where the query has several."
    )

    def validate_variables(self, given: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Each name once; and a value without placeholders is of its type."""
        names = [one["name"] for one in given]
        if double := next((name for name in names if names.count(name) > 1), None):
            raise serializers.ValidationError(f"There are two variables with the name {double}.")
        for one in given:
            if "{{" not in one["value"]:
                try:
                    typed(one, filling_of({}, datetime.min.replace(tzinfo=UTC), "the variables"))
                except TemplateError as error:
                    raise serializers.ValidationError(str(error)) from None
        return given


def variables(configuration: Mapping[str, Any]) -> list[str]:
    """The names that its placeholders ask for, in order."""
    return declared(_templates(configuration))


def _templates(given: Mapping[str, Any]) -> Iterator[str]:
    yield given["url"]
    yield from given["headers"].values()
    yield from (one["value"] for one in given["variables"])


def prepare(given: Mapping[str, Any], values: Mapping[str, Any], now: datetime) -> Call:
    """The call with the values in it. Raises TemplateError, naming the variable, and UnsendableError."""
    head, filling = filling_of(values, now, "its URL with the headers"), filling_of(values, now, "the query")
    headers = filled_headers(given["headers"], head)
    names = set(map(str.lower, headers))
    said: dict[str, Any] = {"query": given["query"]}
    if given["variables"]:
        said["variables"] = {one["name"]: typed(one, filling) for one in given["variables"]}
    if given["operation_name"]:
        said["operationName"] = given["operation_name"]
    body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    if len(body) > BODY_BYTES:
        raise TemplateError(TOO_LONG.format(len(body), BODY_BYTES))
    return Call(
        "POST",
        head.render(given["url"], Place.URL),
        headers=[*headers.items(), *((name, value) for name, value in OURS.items() if name.lower() not in names)],
        body=body,
        timeout_s=given["timeout"],
        keep_bytes=ANSWER_BYTES,
        read_bytes=ANSWER_BYTES,
        sensitive=sensitive(headers),
    )


def read(answer: Answer) -> Reading:
    """The whole answer. Raises AnswerError for one that has errors and no data, and for what is no GraphQL."""
    reading = answers.read(answer)
    value = reading.value
    if not isinstance(value, dict) or not ({"data", "errors"} & value.keys()):
        raise AnswerError("graphql", "The answer is none of GraphQL: it has neither data nor errors.")
    if value.get("errors") and value.get("data") is None:
        raise AnswerError("graphql", answers.sentence_of(value) or "The source answered with errors and without data.")
    return reading


GRAPHQL = Type(GraphQLConfiguration, variables, prepare, read, SECRETS)
