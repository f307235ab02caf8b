"""Fields of a form that are rows, which come and go: headers, the parameters of a query, typed variables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict

Rows = list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class RowKind:
    """`what` is what one row is called, to people and in the names of its fields: `header_name`, `header_value`.

    `mark` stands before its name where a page lists what is set.
    """

    what: str
    columns: tuple[str, ...] = ("name", "value")
    mark: str = ""

    @property
    def fields(self) -> list[str]:
        return [f"{self.what}_{column}" for column in self.columns]


HEADER = RowKind("header")
PARAMETER = RowKind("parameter", mark="?")
VARIABLE = RowKind("variable", ("name", "type", "value"), mark="$")
ROW_KINDS: Mapping[str, RowKind] = {kind.what: kind for kind in (HEADER, PARAMETER, VARIABLE)}


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it is shown. `number` counts from 1; `values` are those of its columns."""

    kind: RowKind
    number: int
    values: tuple[str, ...]
    error: str = ""

    @property
    def id(self) -> str:
        return f"{self.kind.what}_name_{self.number}"

    @property
    def name(self) -> str:
        return self.values[0]

    @property
    def type(self) -> str:
        return self.values[1]

    @property
    def value(self) -> str:
        return self.values[-1]


class RowsWidget(forms.Widget):
    """Reads all rows of what was sent, the empty ones too: what somebody adds must still be there."""

    def __init__(self, kind: RowKind) -> None:
        super().__init__()
        self.kind = kind

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Rows:  # noqa: ARG002
        """Give the values of each row, in their order."""
        if not isinstance(data, QueryDict):
            return list(data.get(name, []))
        return list(zip(*(data.getlist(field) for field in self.kind.fields), strict=False))


class RowsField(forms.Field):
    """Rows of one kind, each as the values of its columns."""

    def __init__(self, kind: RowKind, **given: Any) -> None:
        super().__init__(widget=RowsWidget(kind), **given)
        self.kind = kind


def filled(rows: Rows) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Number and values of the rows in which there is something, the name without blanks around it."""
    for number, (name, *more) in enumerate(rows, start=1):
        if name.strip() or more[-1]:
            yield number, (name.strip(), *more)


def wrong(kind: RowKind, rows: Rows) -> dict[int, str]:
    """What is wrong with which row: a name that is missing, or there twice."""
    said: dict[int, str] = {}
    seen: set[str] = set()
    for number, (name, *_) in filled(rows):
        if not name:
            said[number] = "This value needs a name; or remove the row."
        elif name in seen:
            said[number] = f"There is a {kind.what} {name} above already."
        seen.add(name)
    return said


def shown(kind: RowKind, rows: Rows, errors: Mapping[int, str]) -> list[Row]:
    """The rows to show; an empty one where there is none."""
    return [
        Row(kind, number, values, errors.get(number, ""))
        for number, values in enumerate(rows or [("",) * len(kind.columns)], start=1)
    ]


def add_or_remove(data: QueryDict, do: str) -> bool:
    """Add a row or take one away, as a button of the form says; whether it said so.

    `add-header`, `add-header:NAME=VALUE`, `remove-header:NUMBER`: without scripts the server does it.
    """
    what, _, which = do.partition(":")
    verb, _, of = what.partition("-")
    if verb not in {"add", "remove"} or of not in ROW_KINDS:
        return False
    kind = ROW_KINDS[of]
    columns = [data.getlist(field) for field in kind.fields]
    if verb == "add":
        name, _, value = which.partition("=")
        begun = {"name": name, "value": value}
        columns = [[*values, begun.get(column, "")] for column, values in zip(kind.columns, columns, strict=True)]
    elif 0 < (number := number_of(which)) <= min(map(len, columns)):
        for values in columns:
            del values[number - 1]
    for field, values in zip(kind.fields, columns, strict=True):
        data.setlist(field, values)
    return True


def number_of(text: str) -> int:
    """The number of a row, from 1; 0 for what is none. No form has ten thousand rows."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 else 0
