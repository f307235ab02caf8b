"""SQL with placeholders: each becomes a parameter that is bound, wherever it stands. Nothing is put into the text."""

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from badgerjobs.lib.handlebars import MOST_CHARACTERS, NAME, Filling, TemplateError

# How each part begins. Where it ends is looked up from there, so that none is read twice, however many stay open.
TOKEN = re.compile(
    rf"(?P<quote>['\"])|(?P<dollars>\$\w*\$)|(?P<comment>--[^\n]*|/\*)"
    rf"|\{{\{{\s*(?P<path>{NAME})\s*\}}\}}"
    rf"|%\((?P<name>[A-Za-z_]\w*)\)s"
    rf"|(?P<wrong>\{{\{{)"
)
# Each of them, though the same $ may end one and begin the next.
DOLLARS = re.compile(r"(?=(\$\w*\$))")
BLANK = re.compile(r"[\s;]+|--[^\r\n]*")
COMMENT = re.compile(r"/\*|\*/")
INNER = re.compile(r"\{\{[^{}]*\}\}|%\(\w+\)s")


@dataclass(frozen=True, slots=True)
class Statement:
    """Its pieces of SQL, and between each two the path of what is bound there: one piece more than there are paths."""

    pieces: Sequence[str]
    paths: Sequence[str]
    ends: Sequence[int]  # where in the text as it was written each placeholder ends

    def written(self, mark: Callable[[int], str]) -> str:
        """The SQL with `mark(n)` for the n-th parameter, from 1; the same path is the same parameter."""
        numbers = self._numbers
        rest = zip(self.paths, self.pieces[1:], strict=True)
        return self.pieces[0] + "".join(mark(numbers[path]) + piece for path, piece in rest)

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(self.paths))

    @property
    def _numbers(self) -> Mapping[str, int]:
        return {path: number for number, path in enumerate(self.names, 1)}

    def place_of(self, position: int, mark: Callable[[int], str]) -> int:
        """Where in the text as it was written stands what is at this place, from 0, of what was sent."""
        sent, numbers = len(self.pieces[0]), self._numbers
        if position < sent:
            return position
        for path, piece, end in zip(self.paths, self.pieces[1:], self.ends, strict=True):
            sent += len(mark(numbers[path]))
            if position < sent + len(piece):
                return max(0, position - sent) + end
            sent += len(piece)
        return self.ends[-1] + len(self.pieces[-1]) if self.ends else sent


def read(text: str) -> Statement:
    """Find the placeholders: `{{input.x}}`, or `%(x)s`, which is the same. Raises TemplateError."""
    ends_of = _Ends(text)
    pieces, paths, ends, begin, position = [], [], [], 0, 0
    while token := TOKEN.search(text, position):
        position = ends_of.part(token)
        if token["wrong"]:
            raise TemplateError(f"“{text[token.start() :][:40]}” is no placeholder: write {{{{input.name}}}}.")
        if path := token["path"] or (token["name"] and f"parameters.{token['name']}"):
            pieces.append(text[begin : token.start()])
            paths.append(path)
            ends.append(position)
            begin = position
        elif not token["comment"] and (inner := INNER.search(text, token.start(), position)):
            # What stands in quotes or in a comment is no SQL; what looks like a placeholder there would be a trap.
            raise TemplateError(
                f"{inner[0]} stands in quotes: leave them out, since the value is bound and not put into the text."
            )
    return Statement([*pieces, text[begin:]], paths, ends)


class _Ends:
    """Where the parts of a text end. Each kind is looked for once: what is not found stays so for all that follow."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._open: set[str] = set()
        self._dollars: dict[str, list[int]] | None = None

    def part(self, token: re.Match[str]) -> int:
        """The place behind the part that begins with this token. What never ends is only the sign that it begins with.

        A part that is open is read on behind its first character: what follows may begin another.
        """
        if token["dollars"]:
            end = self._of_dollars(token)
        elif token["quote"]:
            end = self._of_quote(token["quote"], token.end())
        elif token["comment"] == "/*":
            end = self._after("*/", token.end())
        else:
            end = token.end()
        return end or token.start() + 1

    def _of_quote(self, quote: str, start: int) -> int:
        """Two of them in one another are one that is quoted."""
        end = self._after(quote, start)
        while end and self._text.startswith(quote, end):
            further = self._after(quote, end + 1)
            if not further:
                break
            end = further
        return end

    def _of_dollars(self, token: re.Match[str]) -> int:
        if self._dollars is None:
            self._dollars = {}
            for found in DOLLARS.finditer(self._text):
                self._dollars.setdefault(found[1], []).append(found.start())
        places = self._dollars[token[0]]
        next_one = bisect_left(places, token.end())
        return places[next_one] + len(token[0]) if next_one < len(places) else 0

    def _after(self, sign: str, start: int) -> int:
        """Behind the next such sign; 0 when there is none."""
        found = -1 if sign in self._open else self._text.find(sign, start)
        if found < 0:
            self._open.add(sign)
            return 0
        return found + len(sign)


def bound(
    statement: Statement, values: Mapping[str, Any], parameters: Mapping[str, Any], *, most: int = MOST_CHARACTERS
) -> list[Any]:
    """The parameters, in the order of their first places. `%(x)s` is the parameter x, or else `input.x`.

    Raises TemplateError, also when they have more than `most` characters in all.
    """
    given = values.get("input")
    own = {**(given if isinstance(given, Mapping) else {}), **parameters}
    filling = Filling({**values, "parameters": own}, most=most, what="what is bound")
    return [filling.find(path) for path in statement.names]


def line_and_column(text: str, place: int) -> str:
    """`line 2, column 7` of a place in a text, from 0."""
    before = text[:place]
    return f"line {before.count(chr(10)) + 1}, column {place - (before.rfind(chr(10)) + 1) + 1}"


def first_word(text: str) -> str:
    """What a statement begins with, in upper case, after blanks and comments, as PostgreSQL reads them."""
    place = 0
    while True:
        if text.startswith("/*", place):
            place = _after_comment(text, place)
        elif blank := BLANK.match(text, place):
            place = blank.end()
        else:
            word = re.compile(r"\w*").match(text, place)
            return word[0].upper() if word else ""


def _after_comment(text: str, start: int) -> int:
    """Where a comment ends, with those in it; the text's end for one that stays open."""
    depth = 0
    for edge in COMMENT.finditer(text, start):
        depth += 1 if edge[0] == "/*" else -1
        if not depth:
            return edge.end()
    return len(text)
