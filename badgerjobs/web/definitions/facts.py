"""What a configuration says, for its page: under the names that its fields have in the form."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from badgerjobs.web.definitions.inputs import is_json, row_kind, shown
from badgerjobs.web.definitions.looks import Look, SerializerField, look_of


class Fact(NamedTuple):
    """What a configuration says under one name. `block`: it is code, or a text of many lines; `language`: in which.

    `address` is that of the page of what it names, where that has one.
    """

    label: str
    text: str
    block: bool = False
    language: str = ""
    address: str = ""


def facts_of(
    configuration: Mapping[str, Any],
    fields: Mapping[str, SerializerField],
    looks: Mapping[str, Look],
    choice: Any = None,
) -> list[Fact]:
    """All that is set, in the order of the form. `choice` is what decides which fields there are."""
    found: list[Fact] = []
    for name, one in fields.items():
        value, look = configuration.get(name), look_of(looks, name, one)
        if value in (None, "", [], {}) or (look.only and choice not in look.only):
            continue
        if kind := row_kind(name, one, look):
            found += [Fact(kind.mark + first, " ".join(more)) for first, *more in shown(one, value, kind)]
        elif look.rows or is_json(one):
            text = value if isinstance(value, str) and not is_json(one) else _written(value)
            found.append(Fact(look.label, text, block=True, language=look.editor))
        else:
            found.append(Fact(look.label, _in_words(value, look.words, look.unit)))
    return found


def _written(value: Any) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else json.dumps(value, ensure_ascii=False)


def _in_words(value: Any, words: Mapping[str, str], unit: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    said = words.get(str(value), str(value))
    return f"{said} {unit}" if unit else said
