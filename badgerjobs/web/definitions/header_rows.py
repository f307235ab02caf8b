"""The headers of a call as rows of a form: each a name and a value, credentials as stars."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

from badgerjobs.lib import vault
from badgerjobs.outbound.headers import check_headers

NAME, VALUE = "header_name", "header_value"
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class HeaderRow:
    """One header as it is shown. `number` counts from 1."""

    number: int
    name: str
    value: str
    error: str = ""
    hint: str = ""

    @property
    def id(self) -> str:
        return f"{NAME}_{self.number}"

    @property
    def is_secret(self) -> bool:
        return vault.is_secret(self.name)


class HeaderWidget(forms.Widget):
    """Reads all rows of what was sent, the empty ones too: what somebody adds must still be there."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Pairs:  # noqa: ARG002
        """Give pairs of name and value, in their order."""
        if not isinstance(data, QueryDict):
            return list(data.get(name, []))
        return list(zip(data.getlist(NAME), data.getlist(VALUE), strict=False))


class HeaderRows(forms.Field):
    """Name and value of each header, as pairs."""

    widget = HeaderWidget


def filled(pairs: Pairs) -> Iterator[tuple[int, str, str]]:
    """Number, name and value of the rows in which there is something."""
    for number, (name, value) in enumerate(pairs, start=1):
        if name.strip() or value:
            yield number, name.strip(), value


def wrong(pairs: Pairs, stored: Mapping[str, str]) -> dict[int, str]:
    """What is wrong with which row. `stored` are the headers that stars may stand for."""
    said: dict[int, str] = {}
    seen: set[str] = set()
    for number, name, value in filled(pairs):
        try:
            check_headers([(name, value)] if name else [])
            vault.unmask({name: value}, stored)
        except ValueError as error:
            said[number] = f"{error}{_better(name)}"
        if not name:
            said[number] = "This value needs a name, like X-Shop-Id; or remove the row."
        elif name.lower() in seen:  # to whom it is sent they are one
            said[number] = f"There is a header {name} above already: put both values into one, with a comma."
        seen.add(name.lower())
    return said


def add_or_remove(data: QueryDict, do: str) -> bool:
    """Add a row or take one away, as a button of the form says; whether it said so.

    `add-header`, `add-header:NAME=VALUE`, `remove-header:NUMBER`: without scripts the server does it.
    """
    what, _, which = do.partition(":")
    if what not in {"add-header", "remove-header"}:
        return False
    names, values = data.getlist(NAME), data.getlist(VALUE)
    if what == "add-header":
        name, _, value = which.partition("=")
        names, values = [*names, name], [*values, value]
    elif 0 < (number := number_of(which)) <= min(len(names), len(values)):
        del names[number - 1], values[number - 1]
    data.setlist(NAME, names)
    data.setlist(VALUE, values)
    return True


def number_of(text: str) -> int:
    """The number of a row, from 1; 0 for what is none. No form has ten thousand rows."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 else 0


def _better(name: str) -> str:
    """A name with blanks in it is nearly one."""
    near = "-".join(name.replace(":", " ").split())
    try:
        check_headers([(near, "")])
    except ValueError:
        return ""
    return f" Did you mean {near}?" if near and near != name else ""


def rows(pairs: Pairs, errors: Mapping[int, str], hints: Sequence[str] = ()) -> list[HeaderRow]:
    """The rows to show; an empty one where there is none. `hints` are names whose stars stand for nothing here."""
    hint = "Secrets are not copied: write this one anew."
    return [
        HeaderRow(number, name, value, errors.get(number, ""), hint if name in hints else "")
        for number, (name, value) in enumerate(pairs or [("", "")], start=1)
    ]
