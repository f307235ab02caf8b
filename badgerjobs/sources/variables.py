"""Whether values are those that a source's placeholders ask for."""

from collections.abc import Mapping
from typing import Any

from badgerjobs.sources.models import DataSource


def missing(source: DataSource, values: Mapping[str, Any]) -> list[str]:
    """The declared variables that get no value, in order. Null and an empty text are values."""
    return [name for name in source.variables if name not in values]


def unknown(source: DataSource, values: Mapping[str, Any]) -> list[str]:
    """The values that no variable was declared for, in order."""
    declared = set(source.variables)
    return [name for name in values if name not in declared]
