"""SQL with placeholders: each becomes a parameter that is bound, wherever it stands. Nothing is put into the text."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from badgerjobs.lib.handlebars import NAME, TemplateError, find

# What stands in quotes or in a comment is no SQL; what looks like a placeholder there would be a trap.
TOKEN = re.compile(
    rf"(?P<quoted>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)"
    rf"|(?P<comment>--[^\n]*|/\*.*?\*/)"
    rf"|\{{\{{\s*(?P<path>{NAME})\s*\}}\}}"
    rf"|%\((?P<name>[A-Za-z_]\w*)\)s"
    rf"|(?P<wrong>\{{\{{)",
    re.DOTALL,
)
INNER = re.compile(r"\{\{[^{}]*\}\}|%\(\w+\)s")


@dataclass(frozen=True, slots=True)
class Statement:
    """Its pieces of SQL, and between each two the path of what is bound there: one piece more than there are paths."""

    pieces: Sequence[str]
    paths: Sequence[str]
    ends: Sequence[int]  # where in the text as it was written each placeholder ends

    def written(self, mark: Callable[[int], str]) -> str:
        """The SQL with `mark(n)` for the n-th parameter, from 1; the same path is the same parameter."""
        sql = self.pieces[0]
        for path, piece in zip(self.paths, self.pieces[1:], strict=True):
            sql += mark(self.names.index(path) + 1) + piece
        return sql

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(self.paths))

    def place_of(self, position: int, mark: Callable[[int], str]) -> int:
        """Where in the text as it was written stands what is at this place, from 0, of what was sent."""
        sent = len(self.pieces[0])
        if position < sent:
            return position
        for path, piece, end in zip(self.paths, self.pieces[1:], self.ends, strict=True):
            sent += len(mark(self.names.index(path) + 1))
            if position < sent + len(piece):
                return max(0, position - sent) + end
            sent += len(piece)
        return self.ends[-1] + len(self.pieces[-1]) if self.ends else sent


def read(text: str) -> Statement:
    """Find the placeholders: `{{input.x}}`, or `%(x)s`, which is the same. Raises TemplateError."""
    pieces, paths, ends, plain, position = [], [], [], "", 0
    for token in TOKEN.finditer(text):
        if token["quoted"] and (inner := INNER.search(token["quoted"])):
            raise TemplateError(
                f"{inner[0]} stands in quotes: leave them out, since the value is bound and not put into the text."
            )
        if token["wrong"]:
            raise TemplateError(f"“{text[token.start() :][:40]}” is no placeholder: write {{{{input.name}}}}.")
        if path := token["path"] or (token["name"] and f"parameters.{token['name']}"):
            pieces.append(plain + text[position : token.start()])
            paths.append(path)
            ends.append(token.end())
            plain, position = "", token.end()
    return Statement([*pieces, plain + text[position:]], paths, ends)


def bound(statement: Statement, values: Mapping[str, Any], parameters: Mapping[str, Any]) -> list[Any]:
    """The parameters, in the order of their first places. `%(x)s` is the parameter x, or else `input.x`.

    Raises TemplateError.
    """
    given = values.get("input")
    own = {**(given if isinstance(given, Mapping) else {}), **parameters}
    return [find(path, {**values, "parameters": own}) for path in statement.names]


def line_and_column(text: str, place: int) -> str:
    """`line 2, column 7` of a place in a text, from 0."""
    before = text[:place]
    return f"line {before.count(chr(10)) + 1}, column {place - (before.rfind(chr(10)) + 1) + 1}"
