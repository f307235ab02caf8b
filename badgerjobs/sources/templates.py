"""The placeholders of a source: flat names like `{{PRODUCT_ID}}`, and `{{now}}`, which the clock fills."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rest_framework import serializers

from badgerjobs.lib import handlebars
from badgerjobs.lib.handlebars import NOW, Filling, TemplateError
from badgerjobs.web.definitions.fields import BODY_BYTES, HeadersField
from badgerjobs.web.definitions.request_templates import check_header_templates

EXAMPLE = "PRODUCT_ID"
FLAT = f"“{{}}” is no name of a variable: a flat one is, like {EXAMPLE}, without dots."


def check(text: str) -> None:
    """Raise TemplateError unless the text is a template of a source."""
    handlebars.check(text, with_clock=True, like=EXAMPLE)
    for path in handlebars.names(text):
        if "." in path.split(maxsplit=1)[0]:
            raise TemplateError(FLAT.format(path[:60]))


def declared(texts: Iterable[str]) -> list[str]:
    """The variables that templates ask for, in order, each once. Raises TemplateError."""
    paths = (path for text in texts for path in handlebars.names(text, EXAMPLE))
    return list(dict.fromkeys(path for path in paths if path.split(maxsplit=1)[0] != NOW))


def filling_of(values: Mapping[str, Any], now: datetime, what: str) -> Filling:
    """Fills with what a key gives and with the time: one for all that makes `what`, which is told where it is long."""
    return Filling({**values, NOW: now}, most=BODY_BYTES, what=what, given="values")


def _check(text: str) -> None:
    try:
        check(text)
    except TemplateError as error:
        raise serializers.ValidationError(str(error)) from None


class SourceTemplateField(serializers.CharField):
    """A text with placeholders."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, "max_length": 100_000, **kwargs})
        self.validators.append(_check)


class SourceHeadersField(HeadersField):
    """Name → a text with placeholders."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """Refuse values that are no templates."""
        headers = super().to_internal_value(data)
        check_header_templates(headers, check)
        return headers
