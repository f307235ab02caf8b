"""Sources as REST shows and takes them."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.serializers import PolymorphicProxySerializerExtension
from drf_spectacular.utils import Direction, PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from badgerjobs.lib import javascript
from badgerjobs.lib.storable import is_storable
from badgerjobs.outbound.headers import MOST_HEADERS
from badgerjobs.sources.models import DataSource, SourceType
from badgerjobs.sources.types import SOURCE_TYPES, type_of
from badgerjobs.sources.types.endpoint import LONGEST_CODE
from badgerjobs.web.definitions.configurations import Secrets
from badgerjobs.web.definitions.fields import TypeField
from badgerjobs.web.definitions.serializers import ConfigurationField, ConfiguredSerializer
from badgerjobs.web.serializers import BoundedDictField, ErrorField, StrictSerializer

# What a transform sees.
SEEN = ("response", "headers", "variables")
MOST_VALUES = 1000
TEXTS = {"type": "array", "items": {"type": "string"}}


class AnyOf(PolymorphicProxySerializer):
    """One that may be several at once: what JSON lines need is also all that REST needs."""


class AnyOfExtension(PolymorphicProxySerializerExtension):  # type: ignore[no-untyped-call]
    """Says so in the reference."""

    target_class = "badgerjobs.sources.serializers.AnyOf"
    match_subclasses = True
    priority = 1

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """Any of them, not one alone."""
        schema: dict[str, Any] = super().map_serializer(auto_schema, direction)  # type: ignore[no-untyped-call]
        schema["anyOf"] = schema.pop("oneOf")
        return schema


SOURCE_CONFIGURATION = AnyOf(
    component_name="SourceConfiguration",
    serializers=[type_of(name).serializer for name in SOURCE_TYPES],
    resource_type_field_name=None,
)


@extend_schema_field(SOURCE_CONFIGURATION)
class SourceConfigurationField(ConfigurationField):
    """In the reference, one of all that there are."""


@extend_schema_field(
    {
        "type": "object",
        "nullable": True,
        "properties": {
            "name": {"type": "string", "description": "What it was called where it came from."},
            "bytes": {"type": "integer", "description": "How long it is, as it was sent."},
            "uploaded_at": {"type": "string", "format": "date-time", "description": "When it came."},
            "uploaded_by": {
                "type": "string",
                "description": "Who sent it: a person's address, or what a token is called.",
            },
        },
        "required": ["name", "bytes", "uploaded_at", "uploaded_by"],
    }
)
class SourceFileField(serializers.JSONField):
    """A file that somebody uploaded, or null."""

    def to_representation(self, value: Any) -> Any:
        """What is known of it."""
        at = serializers.DateTimeField().to_representation(value.uploaded_at)
        return {"name": value.name, "bytes": value.bytes, "uploaded_at": at, "uploaded_by": value.uploaded_by}


class SourceSerializer(ConfiguredSerializer):
    """Where data comes from. What its configuration holds depends on its type."""

    reserved = ("test", "test-transform")
    example = "products"

    type = TypeField(SourceType.choices, help_text=f"{', '.join(SourceType.values)}; in any case. Never changed.")
    configuration = SourceConfigurationField(
        help_text="What is called, by its type. Given whole; secrets read as stars."
    )
    variables = serializers.SerializerMethodField(
        help_text="The names that its placeholders ask for, in order: what each key has to give."
    )
    keys = serializers.SerializerMethodField(help_text="How many cache keys use it.")
    file = SourceFileField(
        read_only=True,
        allow_null=True,
        help_text="Of the types CSV_FILE and JSONL_FILE what was uploaded last; null before, and of all others.",
    )
    warnings = serializers.SerializerMethodField(
        help_text="After a change: which keys give no value for a variable that it now asks for. Else empty."
    )

    def faults(self, attrs: Mapping[str, Any]) -> dict[str, Any]:
        """Of code that is new: what was stored before may stay. How long it may be, its field says."""
        source, application = self.instance, self.context["application"]
        code = attrs.get("configuration", {}).get("transform")
        if not isinstance(code, str) or not 0 < len(code.strip()) <= len(code) <= LONGEST_CODE:
            return {}
        if source and code == source.configuration.get("transform"):
            return {}
        fault = javascript.fault(code, SEEN, tenant=application.workspace_id, part=application.pk)
        return {"configuration": {"transform": [str(fault)]}} if fault else {}

    @extend_schema_field(TEXTS)
    def get_variables(self, source: DataSource) -> list[str]:
        return list(source.variables)

    def get_keys(self, source: DataSource) -> int:
        return int(getattr(source, "key_count", 0))

    @extend_schema_field(TEXTS)
    def get_warnings(self, source: DataSource) -> list[str]:
        return list(source.warnings)

    def configured(self, instance: DataSource) -> tuple[Any, Secrets]:
        """As its type has it."""
        found = type_of(instance.type)
        return found.serializer, found.secrets


class ValuesField(BoundedDictField):
    """Name → any JSON, with nothing in it that the database cannot hold."""

    child = serializers.JSONField(allow_null=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(most=MOST_VALUES, **kwargs)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Raises ValidationError."""
        values = super().to_internal_value(data)
        if not is_storable(values):
            raise serializers.ValidationError("A value holds neither null characters nor halves of letters.")
        return values


class UploadSerializer(serializers.Serializer[Any]):
    """A file, as the field of a form."""

    file = serializers.FileField(help_text="CSV or JSON lines, as it is or packed by gzip; 256 MB at most.")


class TestSerializer(StrictSerializer):
    """Values for the variables, and perhaps another configuration, to try a source with."""

    __test__ = False

    values = ValuesField(default=dict, help_text="Variable → its value, as a key would give it.")
    configuration = SourceConfigurationField(
        required=False, help_text="Another one than is stored, which is not changed. Stars are what is stored."
    )


class NewTestSerializer(TestSerializer):
    """A source that is not stored, and values to try it with."""

    type = TypeField(SourceType.choices, help_text=f"{', '.join(SourceType.values)}; in any case.")
    configuration = SourceConfigurationField(help_text="What is called, by its type.")


class TransformSerializer(StrictSerializer):
    """A transform, and what it is to see."""

    code = serializers.CharField(
        max_length=LONGEST_CODE, trim_whitespace=False, help_text="The function's body: it returns the value to keep."
    )
    response = serializers.JSONField(
        default=None, allow_null=True, help_text="An example of an answer: any JSON, or a text."
    )
    headers = BoundedDictField(
        child=serializers.CharField(allow_blank=True),
        most=MOST_HEADERS,
        default=dict,
        help_text="Its headers, by name in lower case.",
    )
    variables = ValuesField(default=dict, help_text="Variable → its value.")


class LineSerializer(serializers.Serializer[Any]):
    """A line that a transform wrote to the console."""

    level = serializers.CharField(help_text="debug, log, info, warn or error.")
    text = serializers.CharField(help_text="What it wrote.")


class TransformedSerializer(serializers.Serializer[Any]):
    """What a transform made of an example."""

    ok = serializers.BooleanField(help_text="Whether there is a value.")
    value = serializers.JSONField(allow_null=True, help_text="What would be kept.")
    error = ErrorField(help_text="Null for a success; else its `class` and `message`.")
    console = LineSerializer(many=True, help_text="What the transform wrote to the console.")


class ColumnSerializer(serializers.Serializer[Any]):
    """A column of rows."""

    name = serializers.CharField(help_text="What it is called.")
    types = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="boolean, number, text, object, list or null → how many values are that.",
    )


class TrialSerializer(TransformedSerializer):
    """What came of trying a source."""

    status = serializers.IntegerField(allow_null=True, help_text="That of the answer; null where none came.")
    duration = serializers.IntegerField(help_text="Milliseconds that it took, with the transform.")
    bytes = serializers.IntegerField(allow_null=True, help_text="Of the answer, decompressed; null where none came.")
    headers = serializers.DictField(child=serializers.CharField(), help_text="Those of the answer.")
    answer = serializers.CharField(help_text="The answer as text, its first 64 KB.")
    rows = serializers.ListField(
        child=serializers.JSONField(allow_null=True),
        allow_null=True,
        help_text="The first 20 rows; null where nothing says that it has rows, and its answer is no list.",
    )
    columns = ColumnSerializer(many=True, help_text="What the rows that were read have.")
    found = serializers.DictField(
        child=serializers.JSONField(),
        help_text="What was found out of how they are written: of CSV delimiter, encoding, types and decimal marks.",
    )
    warnings = serializers.ListField(
        child=serializers.CharField(),
        help_text="What a run may find wrong all the same: a row that is too long to be stored, or what is behind the "
        "rows that were looked at.",
    )
