"""How a field of a configuration looks in a form: what may stand in it, its serializer says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rest_framework import serializers

from badgerjobs.web.serializers import StrictSerializer

SerializerField = serializers.Field[Any, Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """How a field is shown.

    `editor`: the language of what is typed. `rows`: how tall it is, more than one line where there are any. `more`: it
    stands among those that few people need. `words`: what the choices are called. `only`: with which choices of the
    form's `chooser` it is shown, and told. `joined`: the choice that stands before it, as one value with it. `in_rows`:
    of which `RowKind` its rows are.
    """

    label: str
    hint: str = ""
    editor: str = ""
    rows: int = 0
    more: bool = False
    words: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    placeholder: str = ""
    unit: str = ""
    joined: str = ""
    in_rows: str = ""


def arranged(serializer: type[StrictSerializer], looks: Mapping[str, Look]) -> Mapping[str, SerializerField]:
    """The fields of a configuration, by name, in the order of its looks; those without a look stand last."""
    fields = {name: one for name, one in serializer().fields.items() if not one.read_only}
    return {name: fields[name] for name in (*looks, *(name for name in fields if name not in looks))}


def look_of(looks: Mapping[str, Look], name: str, one: SerializerField) -> Look:
    """How a field is shown; by its name, and with what the serializer says of it, where nothing is said here."""
    return looks.get(name) or Look(name.replace("_", " ").capitalize(), str(one.help_text or ""))
