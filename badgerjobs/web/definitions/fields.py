"""Fields that configurations are made of: types, tags, templates, headers, time limits."""

from typing import Any

from rest_framework import serializers

from badgerjobs.lib import handlebars, vault
from badgerjobs.outbound.headers import MOST_HEADERS, check_headers

BODY_BYTES = 1_000_000


def check_tag(tag: str, what: str = "A tag") -> None:
    """It stands in addresses, so it may hold nothing that an address cannot. `what` it is called in the refusal."""
    if "/" in tag or tag in {".", ".."} or not tag.isprintable():
        raise serializers.ValidationError(f"{what} may hold neither “/” nor control characters. Use - or : instead.")
    if tag != tag.strip():
        raise serializers.ValidationError(f"{what} neither begins nor ends with a blank.")


def type_named(text: str) -> str:
    """What a type is called: in upper case, a blank or a hyphen being an underscore."""
    return text.strip().upper().replace(" ", "_").replace("-", "_")


class TypeField(serializers.ChoiceField):
    """A type, written as people write it; upper case when it comes out."""

    def to_internal_value(self, data: Any) -> str:
        """See `type_named`. Raises ValidationError that names all there are."""
        name = type_named(data) if isinstance(data, str) else data
        if not isinstance(name, str) or name not in self.choices:
            raise serializers.ValidationError(f"“{data}” is none of {', '.join(self.choices)}.")
        return name


def check_template(text: str) -> None:
    """Refuse what is no template."""
    try:
        handlebars.check(text)
    except handlebars.TemplateError as error:
        raise serializers.ValidationError(str(error)) from None


class TemplateField(serializers.CharField):
    """A text with placeholders."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, "max_length": 100_000, **kwargs})
        self.validators.append(check_template)


class JSONTemplateField(serializers.JSONField):
    """Any JSON, with placeholders in its texts and keys."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse what is no template, however deep."""
        value = super().to_internal_value(data)
        try:
            handlebars.check_all(value)
        except handlebars.TemplateError as error:
            raise serializers.ValidationError(str(error)) from None
        except RecursionError:
            raise serializers.ValidationError("This is nested too deeply.") from None
        return value


class HeadersField(serializers.DictField):
    """Name → value. Values that carry credentials read as stars; stars that come back keep the stored value."""

    child = serializers.CharField(allow_blank=True, trim_whitespace=False, max_length=8000)
    default_error_messages = {"not_a_dict": 'Must be an object, like {{"Content-Type": "text/plain"}}.'}

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Null is no headers."""
        return super().run_validation({} if data is None else data)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """Refuse what would break a request. What stars stand for, the services know."""
        if isinstance(data, dict) and len(data) > MOST_HEADERS:  # before each of them is looked at
            raise serializers.ValidationError(f"A call may have {MOST_HEADERS} headers; these are {len(data):,}.")
        headers: dict[str, str] = super().to_internal_value(data)
        try:
            check_headers(headers.items())
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None
        if len({name.lower() for name in headers}) < len(headers):
            raise serializers.ValidationError(
                "Two headers differ in upper and lower case only: to whom they are sent they are one."
            )
        return headers

    def to_representation(self, value: Any) -> dict[str, str]:
        """Stars for what carries credentials."""
        return vault.mask(value)


def timeout_field(most: int = 300, default: int = 30) -> serializers.IntegerField:
    """How long an attempt may take."""
    words = f"Seconds that each attempt may take: 1 to {most}."
    return serializers.IntegerField(default=default, min_value=1, max_value=most, help_text=words)
