"""The reference of the REST API as tests read it, and what is wrong with a value by it."""

from collections.abc import Iterator, Mapping
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from openapi_schema_validator import OAS30Validator, oas30_format_checker

SCHEMA: Any = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
OPERATIONS = {
    (method.upper(), path): operation
    for path, operations in SCHEMA["paths"].items()
    for method, operation in operations.items()
}


def faults(part: Mapping[str, Any], value: Any) -> list[str]:
    """What is wrong with a value, by a schema that stands in the reference."""
    whole = {**part, "components": SCHEMA["components"]}
    found = OAS30Validator(whole, format_checker=oas30_format_checker).iter_errors(value)
    return [f"{error.json_path}: {error.message}" for error in found] + list(unknown(part, value))


def unknown(part: Mapping[str, Any], value: Any, where: str = "$") -> Iterator[str]:
    """The fields of a value that its schema does not name."""
    if "$ref" in part:
        part = SCHEMA["components"]["schemas"][part["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        for row in value:
            yield from unknown(part.get("items", {}), row, f"{where}[]")
    if isinstance(value, dict) and "properties" in part:
        for name, inner in value.items():
            if name not in part["properties"]:
                yield f"{where}.{name}: is not in the reference"
            yield from unknown(part["properties"].get(name, {}), inner, f"{where}.{name}")
