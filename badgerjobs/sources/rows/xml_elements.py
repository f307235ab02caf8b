"""Rows of XML, and of SOAP, which is XML that is asked for by XML."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any

from rest_framework import serializers

from badgerjobs.lib import words
from badgerjobs.lib.csv_texts import TYPES
from badgerjobs.lib.said import quoted
from badgerjobs.lib.xml_rows import XMLFaultError, XMLPathError, XMLRows, parse
from badgerjobs.outbound.headers import check_headers
from badgerjobs.outbound.targets import UnsendableError
from badgerjobs.sources.answers import charset_of
from badgerjobs.sources.authentication import secrets_of
from badgerjobs.sources.rows.one_call import call_of
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.pulls import Chunk, Pull
from badgerjobs.sources.rows.xml_values import Values
from badgerjobs.web.serializers import BoundedDictField, OneOfField

# Values are looked at in so many bytes, about, to find out their types.
LOOKED_AT = 64 * 1024
MOST_TYPES = 5000
TYPED, AS_TEXT = "typed", "text"

NO_XML = "The answer cannot be read as XML: {} (line {:,}, after {})."
NO_ROWS = "The answer has no place for rows like {}."
BY_POST = "SOAP is asked by POST: choose it as the method."
NO_BODY = "SOAP is asked with an envelope: write it into the body."


class ElementPathField(serializers.CharField):
    """A path like /catalog/product or //product."""

    def to_internal_value(self, data: Any) -> str:
        """Raises ValidationError for what is no path."""
        path = super().to_internal_value(data)
        try:
            parse(path)
        except XMLPathError as error:
            raise serializers.ValidationError(str(error)) from None
        return path


class ElementsConfiguration(serializers.Serializer[Any]):
    """Which elements are rows, and what makes the request one of SOAP."""

    rows = ElementPathField(
        max_length=500, help_text="Which elements are rows, like /catalog/product or //product; prefixes do not count."
    )
    values = OneOfField(
        [(TYPED, "Become numbers and booleans"), (AS_TEXT, "Stay texts")],
        default=TYPED,
        help_text="What becomes of texts: typed (numbers and booleans, where all of a name are that) or text.",
    )
    types = BoundedDictField(
        child=OneOfField(TYPES),
        most=MOST_TYPES,
        default=dict,
        help_text="Where in a row, like price, @id or address/zip → integer, number, boolean or text, where it is not "
        "to be found out.",
    )
    soap_action = serializers.CharField(
        default="", allow_blank=True, max_length=1000, help_text="Of SOAP: what is sent as the header SOAPAction."
    )

    def validate_soap_action(self, action: str) -> str:
        """It stands in a header."""
        try:
            check_headers([("SOAPAction", action)])
        except UnsendableError as error:
            raise serializers.ValidationError(str(error)) from None
        return action

    def to_internal_value(self, data: Any) -> Any:
        """SOAP is asked by POST, unless another method is named: that one is refused."""
        if isinstance(data, dict) and data.get("soap_action") and data.get("method") in (None, ""):
            data = {**data, "method": "POST"}
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """SOAP has a body, sent by POST."""
        attrs = super().validate(attrs)
        if attrs["soap_action"] and attrs["method"] != "POST":
            raise serializers.ValidationError({"method": [BY_POST]})
        if attrs["soap_action"] and not attrs["body"].strip():
            raise serializers.ValidationError({"body": [NO_BODY]})
        return attrs


class ElementsPull(Pull):
    """The elements of one answer."""

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """See `Pull`."""
        call = call_of(self, escaped_in=is_xml)
        call = replace(call, headers=[*call.headers, *self._of_soap({name.lower() for name, _ in call.headers})])
        values = Values(self.configuration["types"], finds=self.configuration["values"] == TYPED)
        count = waits = 0
        waiting: list[Any] = []
        async with self.opened(call) as stream:
            elements = XMLRows(self.configuration["rows"], charset_of(stream.head) or None)
            async with aclosing(stream.pieces()) as pieces:
                async for piece in pieces:
                    rows, length = _read(partial(elements.feed, piece), count)
                    count += len(rows)
                    waiting += rows
                    waits += length
                    if waits >= LOOKED_AT:
                        yield self._typed(values, waiting), waits
                        waiting, waits = [], 0
            waiting += _read(elements.end, count)[0]
            yield self._typed(values, waiting), waits
        if fault := elements.fault:
            said = quoted(fault, secrets_of(self.configuration, call))
            raise PullError("soap", f"The source answered with a fault: “{said}”")
        if not elements.is_found:
            raise PullError("rows", NO_ROWS.format(self.configuration["rows"]))

    def _typed(self, values: Values, rows: list[Any]) -> list[Any]:
        """With numbers and booleans; of the first rows it is found out where there are some."""
        if rows and not values.is_begun:
            self.found["types"] = values.begin(rows)
        return values.typed(rows)

    def _of_soap(self, written: set[str]) -> list[tuple[str, str]]:
        """The headers that make the call one of SOAP, where it is that, and has none of its own."""
        action = self.configuration["soap_action"]
        ours = {"SOAPAction": f'"{action.strip(chr(34))}"', "Content-Type": "text/xml; charset=utf-8"}
        return [(name, value) for name, value in ours.items() if action and name.lower() not in written]


def is_xml(configuration: Mapping[str, Any]) -> bool:
    """Whether a body is XML, where placeholders must not become elements."""
    types = (value for name, value in configuration["headers"].items() if name.lower() == "content-type")
    kind = next(types, "").partition(";")[0].strip().lower()
    return kind.endswith("xml") or (not kind and configuration["body"].lstrip().startswith("<"))


def _read(read: Callable[[], Chunk], count: int) -> Chunk:
    try:
        return read()
    except XMLFaultError as fault:
        raise PullError("xml", NO_XML.format(fault.clause, fault.line, words.counted(count, "row"))) from None
