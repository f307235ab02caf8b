"""Values for the placeholders of a pattern, as fields of a form or of an address: `variable:CATEGORY_ID=12`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PREFIX = "variable:"
# Longer than any name of a key.
LONGEST = 400


@dataclass(frozen=True, slots=True)
class VariableField:
    """A field for the value of one placeholder. `id` is its own on the page: names may hold anything."""

    id: str
    name: str
    value: str

    @property
    def field(self) -> str:
        """What it is called when it is sent."""
        return PREFIX + self.name


def values_in(given: Mapping[str, str]) -> dict[str, str]:
    """Name → value, of those fields that have one."""
    told = {name.removeprefix(PREFIX): given[name] for name in given if name.startswith(PREFIX)}
    return {name: value.replace("\0", "")[:LONGEST] for name, value in told.items() if value}


def fields_for(names: Sequence[str], values: Mapping[str, str]) -> list[VariableField]:
    """A field for each of these names."""
    return [VariableField(f"variable-{place}", name, values.get(name, "")) for place, name in enumerate(names, 1)]
