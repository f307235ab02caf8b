"""Forms whose rules are all a serializer's: they take anything, and bring its sentences back beside the fields."""

from collections.abc import Mapping
from typing import Any

# For a field that leaves it to the serializer what may stand in it.
LENIENT: dict[str, Any] = {"required": False}


def first_sentence(said: Any) -> str:
    """What a serializer says of a field, however deep its sentences lie."""
    while isinstance(said, Mapping | list):
        said = next(iter(said.values() if isinstance(said, Mapping) else said))
    return str(said)
