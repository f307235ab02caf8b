"""The headers of a call as rows of a form: each a name and a value, credentials as stars."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from badgerjobs.lib import vault
from badgerjobs.outbound.headers import check_headers
from badgerjobs.web.definitions import rows as row_fields
from badgerjobs.web.definitions.rows import HEADER, RowsField

NAME = HEADER.fields[0]
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


class HeaderRows(RowsField):
    """Name and value of each header, as pairs."""

    def __init__(self, **given: Any) -> None:
        super().__init__(HEADER, **given)


def filled(pairs: Pairs) -> Iterator[tuple[int, str, str]]:
    """Number, name and value of the rows in which there is something."""
    for number, (name, value) in row_fields.filled(list(pairs)):
        yield number, name, value


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
