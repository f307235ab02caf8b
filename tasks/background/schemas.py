"""DRF's serializers as JSON schemas."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty

from badgerjobs.runs.bulk_serializers import WordsField

# The first that a field is an instance of.
_TYPES: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], dict[str, Any]], ...] = (
    (serializers.BooleanField, {"type": "boolean"}),
    (serializers.IntegerField, {"type": "integer"}),
    (serializers.FloatField, {"type": "number"}),
    (serializers.DecimalField, {"type": "number"}),
    (serializers.DateTimeField, {"type": "string", "format": "date-time"}),
    (serializers.DateField, {"type": "string", "format": "date"}),
    (serializers.TimeField, {"type": "string", "format": "time"}),
    (serializers.DurationField, {"type": "string"}),
    (serializers.EmailField, {"type": "string", "format": "email"}),
    (serializers.URLField, {"type": "string", "format": "uri"}),
    (serializers.UUIDField, {"type": "string", "format": "uuid"}),
    (serializers.CharField, {"type": "string"}),
    (serializers.DictField, {"type": "object"}),
)
_BOUNDS = {
    "max_length": "maxLength",
    "min_length": "minLength",
    "max_value": "maximum",
    "min_value": "minimum",
}
_OF_LISTS = {"max_length": "maxItems", "min_length": "minItems"}


def of_serializer(serializer: Any) -> dict[str, Any]:
    """The schema of what it takes: what it only gives is left out."""
    fields = {name: field for name, field in serializer.fields.items() if not _is_given(field)}
    schema: dict[str, Any] = {"type": "object", "properties": {name: _of(field) for name, field in fields.items()}}
    if required := [name for name, field in fields.items() if field.required]:
        schema["required"] = required
    return schema


def _is_given(field: Any) -> bool:
    return bool(field.read_only) or isinstance(field, serializers.HiddenField)


def _of(field: Any) -> dict[str, Any]:
    schema = {**_kind_of(field), **_words_of(field)}
    if field.default is not empty and not callable(field.default):
        schema["default"] = field.default
    if field.allow_null and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return schema


def _kind_of(field: Any) -> dict[str, Any]:
    if isinstance(field, serializers.ListSerializer | serializers.ListField):
        return {"type": "array", "items": _of(field.child), **_bounds(field, _OF_LISTS)}
    if isinstance(field, serializers.Serializer):
        return of_serializer(field)
    if isinstance(field, serializers.MultipleChoiceField):
        return {"type": "array", "items": _choices(field), "uniqueItems": True}
    if isinstance(field, serializers.ChoiceField):
        return _choices(field)
    if isinstance(field, WordsField):
        return {"type": "array", "items": _words(field)}
    found = next((schema for kind, schema in _TYPES if isinstance(field, kind)), {})
    return {**found, **_bounds(field, _BOUNDS)}


def _words(field: WordsField) -> dict[str, Any]:
    known = {"enum": list(field.among)} if isinstance(field.among, Iterable) else {}
    return {"type": "string", **known}


def _choices(field: Any) -> dict[str, Any]:
    values = list(field.choices)
    kind = {"type": "integer"} if all(isinstance(value, int) for value in values) else {"type": "string"}
    return {**kind, "enum": values}


def _bounds(field: Any, names: dict[str, str]) -> dict[str, Any]:
    found = {said: getattr(field, name, None) for name, said in names.items()}
    return {said: value for said, value in found.items() if value is not None}


def _words_of(field: Any) -> dict[str, Any]:
    words = {"title": field.label, "description": field.help_text}
    return {name: str(said) for name, said in words.items() if said}
