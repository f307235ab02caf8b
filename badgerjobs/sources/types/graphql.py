"""GraphQL: one query with typed variables, whose whole answer is the value."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from badgerjobs.lib.handlebars import Place, TemplateError
from badgerjobs.lib.json_paths import parse
from badgerjobs.lib.said import quoted
from badgerjobs.outbound.calls import Answer, Call
from badgerjobs.outbound.headers import sensitive
from badgerjobs.sources import answers
from badgerjobs.sources.answers import AnswerError, Reading
from badgerjobs.sources.authentication import SECRETS, secrets_of
from badgerjobs.sources.rows.paged import MOST_USUALLY, PagedPull, most_pages_field
from badgerjobs.sources.rows.pages import CURSOR, NONE, Pages
from badgerjobs.sources.rows.paths import PathField
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.remembering import RememberingConfiguration, own_placeholders, start_of
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


class CursorConfiguration(serializers.Serializer[Any]):
    """Where the rows are in an answer, and the cursor that leads to the next page."""

    rows = PathField(default="", help_text="Where the rows are in an answer, like $.data.products.nodes[*].")
    cursor_path = PathField(
        default="",
        help_text="Where the cursor of the next page is, like $.data.products.pageInfo.endCursor. Empty: one answer "
        "has all rows.",
    )
    more_path = PathField(
        default="",
        help_text="What says whether there is a next page, like $.data.products.pageInfo.hasNextPage. Empty: there is "
        "one while there is a cursor.",
    )
    cursor_variable = NameField(
        default="after", max_length=200, help_text="The variable of the query that takes the cursor; null at first."
    )
    most_pages = most_pages_field()


class GraphQLConfiguration(EndpointConfiguration, CursorConfiguration, RememberingConfiguration):
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
    ours = own_placeholders(configuration)
    return [name for name in declared(_templates(configuration)) if name not in ours]


def _templates(given: Mapping[str, Any]) -> Iterator[str]:
    yield given["url"]
    yield from given["headers"].values()
    yield from (one["value"] for one in given["variables"])


def prepare(given: Mapping[str, Any], values: Mapping[str, Any], now: datetime) -> Call:
    """The call, for the first page, with the values in it. See `call_of`."""
    return call_of(given, {**start_of(given, None), **values}, now)


def call_of(given: Mapping[str, Any], values: Mapping[str, Any], now: datetime, cursor: Any = None) -> Call:
    """The call for the page at a cursor. Raises TemplateError, naming the variable, and UnsendableError."""
    head, filling = filling_of(values, now, "its URL with the headers"), filling_of(values, now, "the query")
    headers = filled_headers(given["headers"], head)
    names = set(map(str.lower, headers))
    said: dict[str, Any] = {"query": given["query"]}
    paged = {given["cursor_variable"]: cursor} if cursor is not None else {}
    if given["variables"] or paged:
        said["variables"] = {one["name"]: typed(one, filling) for one in given["variables"]} | paged
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


class GraphQLPull(PagedPull):
    """All pages of a GraphQL source."""

    def pages(self) -> Pages:
        """By a cursor, where there is one."""
        way, more = self.configuration.get("cursor_path", ""), self.configuration.get("more_path", "")
        most = self.configuration.get("most_pages", MOST_USUALLY)
        return Pages(CURSOR if way else NONE, parse(way), parse(more), most=most)

    def call(self, values: Mapping[str, Any], pages: Pages) -> Call:
        """See `call_of`."""
        return call_of(self.configuration, values, self.given.now, pages.at)

    def look(self, rest: Any) -> None:
        """Raises PullError for errors, with data or without: what is missing would be taken for gone."""
        if isinstance(rest, dict) and rest.get("errors"):
            said = answers.sentence_of(rest) or "The source answered with errors."
            raise PullError("graphql", quoted(said, secrets_of(self.configuration)))


GRAPHQL = Type(GraphQLConfiguration, variables, prepare, read, SECRETS, GraphQLPull)
