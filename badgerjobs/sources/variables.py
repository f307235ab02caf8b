"""Whether values are those that a source's placeholders ask for."""

from collections.abc import Mapping
from typing import Any

from badgerjobs.sources.models import DataSource

# So many variables without a value are named.
NAMED = 10


def missing(source: DataSource, values: Mapping[str, Any]) -> list[str]:
    """The declared variables that get no value, in order. Null and an empty text are values."""
    return [name for name in source.variables if name not in values]


def lack_of(source: DataSource, values: Mapping[str, Any]) -> str:
    """A sentence that names the variables without a value; empty where all have one."""
    absent = missing(source, values)
    names = f"{'variable' if len(absent) == 1 else 'variables'} {', '.join(absent[:NAMED])}"
    return f"No value is given for the {names}." if absent else ""


def unknown(source: DataSource, values: Mapping[str, Any]) -> list[str]:
    """The values that no variable was declared for, in order."""
    declared = set(source.variables)
    return [name for name in values if name not in declared]
