"""Rows out of XML that comes in pieces.

A document that defines anything (DOCTYPE) is refused where the definition begins: without one there are no entities but
XML's own five, so nothing grows when it is read, and no other file is asked for.
"""

import re
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

# Of one row, in characters; and of what may come without an element ending in it.
LONGEST = 16 * 1024 * 1024
MOST_LEVELS = 100
MOST_STEPS = 30
TEXT = "#text"
ANY = "*"
# What says of an element that it has no value, as expat gives it with the mark that stands behind namespaces.
NIL = "http://www.w3.org/2001/XMLSchema-instance}nil"

_STEP = re.compile(r"(?:[\w.-]+:)?([\w.-]+|\*)")

DTD = "it defines a document type (DOCTYPE), which is not read: such definitions are used for attacks"
TOO_DEEP = f"it is nested more than {MOST_LEVELS} levels deep"
TOO_LONG = f"an element in it is longer than {LONGEST // 1024 // 1024} MB"
EMPTY = "it is empty"


class XMLPathError(ValueError):
    """No path. The message says what one looks like."""


class XMLFaultError(ValueError):
    """What cannot be read as XML: a clause that says why, and the line."""

    def __init__(self, clause: str, line: int = 0) -> None:
        super().__init__(clause)
        self.clause = clause
        self.line = line


def parse(text: str) -> tuple[bool, tuple[str, ...]]:
    """Whether a path begins at the root, and the names of its elements, without prefixes. Raises XMLPathError."""
    is_rooted = text.startswith("/") and not text.startswith("//")
    steps = [_STEP.fullmatch(step) for step in text.removeprefix("/").removeprefix("/").split("/")]
    if not all(steps) or len(steps) > MOST_STEPS:
        raise XMLPathError(f"“{text[:60]}” is no path to elements: write it like /catalog/product or //product.")
    return is_rooted, tuple(step[1] for step in steps if step)


class _Node:
    """An element that is part of a row."""

    __slots__ = ("inner", "is_nil", "name", "texts")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.is_nil = attributes.pop(NIL, "") in {"true", "1"}
        self.inner: dict[str, Any] = {f"@{_local(each)}": value for each, value in attributes.items()}
        self.texts: list[str] = []

    def add(self, name: str, value: Any) -> None:
        """One below it. Of several with a name there is a list."""
        if name not in self.inner:
            self.inner[name] = value
        elif isinstance(self.inner[name], list):
            self.inner[name].append(value)
        else:
            self.inner[name] = [self.inner[name], value]

    def value(self) -> Any:
        """A text, or an object where it has attributes or elements; null where it says so."""
        text = None if self.is_nil else "".join(self.texts).strip()
        if not self.inner:
            return text
        return {**self.inner, TEXT: text} if text or self.is_nil else self.inner


class _Target:
    """What the parser tells."""

    def __init__(self, path: str) -> None:
        self._is_rooted, self._steps = parse(path)
        self._open: list[str] = []
        self._nodes: list[_Node] = []
        self._length = 0
        self.rows: list[Any] = []
        self.fault: Any = None
        self.has_begun = self.is_found = self.moved = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        name = _local(tag)
        self.has_begun = self.moved = True
        self._open.append(name)
        if len(self._open) > MOST_LEVELS:
            raise XMLFaultError(TOO_DEEP)
        if self._nodes or self._is_at(self._steps) or name == "Fault":
            self._grow(sum(map(len, attributes.values())) + len(name))
            self._nodes.append(_Node(name, attributes))
        if not self.is_found:
            # Where rows would be: any document for a path that begins anywhere, else the element that holds them.
            self.is_found = not self._is_rooted or self._is_at(self._steps[:-1] or self._steps)

    def data(self, text: str) -> None:
        """Text, or a part of one."""
        if self._nodes:
            self.moved = True
            self._grow(len(text))
            self._nodes[-1].texts.append(text)

    def end(self, _: str) -> None:
        """An element ends."""
        self.moved = True
        if self._nodes:
            node = self._nodes.pop()
            if self._nodes:
                self._nodes[-1].add(node.name, node.value())
            else:
                self._take(node)
        self._open.pop()

    def _take(self, node: _Node) -> None:
        self._length = 0
        value = node.value()
        if self._is_at(self._steps):
            self.rows.append(value if isinstance(value, dict) else {TEXT: value})
        elif self.fault is None:
            self.fault = value

    def _grow(self, length: int) -> None:
        self._length += length + 1
        if self._length > LONGEST:
            raise XMLFaultError(TOO_LONG)

    def _is_at(self, steps: tuple[str, ...]) -> bool:
        here = self._open if self._is_rooted else self._open[-len(steps) :]
        return len(here) == len(steps) and all(
            step in (name, ANY) for name, step in zip(here, steps, strict=True)
        )  # fmt: skip


class XMLRows:
    """The elements at a path, as objects. `feed` it pieces, and then `end` it.

    Attributes are `@name`, an element with nothing but text is that text, several of one name are a list, and text
    beside other things is `#text`. With `xsi:nil` it is null. `fault`: what SOAP says went wrong, if it does.
    """

    def __init__(self, path: str, encoding: str | None = None) -> None:
        self._target = _Target(path)
        self._parser = expat.ParserCreate(encoding, "}")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._target.start
        self._parser.EndElementHandler = self._target.end
        self._parser.CharacterDataHandler = self._target.data
        self._waiting = 0

    def feed(self, piece: bytes) -> tuple[list[Any], int]:
        """The rows that end in this piece, and its length. Raises XMLFaultError."""
        self._target.moved = False
        self._do(lambda: self._parser.Parse(piece, False))  # noqa: FBT003  expat's own order
        self._waiting = 0 if self._target.moved else self._waiting + len(piece)
        if self._waiting > LONGEST:
            raise XMLFaultError(TOO_LONG, self._parser.CurrentLineNumber)
        rows, self._target.rows = self._target.rows, []
        return rows, len(piece)

    def end(self) -> tuple[list[Any], int]:
        """The same when nothing more comes. Raises XMLFaultError for what ends in the middle, too."""
        if not self._target.has_begun:
            raise XMLFaultError(EMPTY, 1)
        self._do(lambda: self._parser.Parse(b"", True))  # noqa: FBT003
        rows, self._target.rows = self._target.rows, []
        return rows, 0

    @property
    def is_found(self) -> bool:
        """Whether there was a place for such rows, if there were none."""
        return self._target.is_found

    @property
    def fault(self) -> str:
        """What SOAP says of a fault; empty for none."""
        return _sentence(self._target.fault)

    def _do(self, work: Callable[[], Any]) -> None:
        try:
            work()
        except expat.ExpatError as error:
            raise XMLFaultError(expat.ErrorString(error.code), error.lineno) from None
        except XMLFaultError as fault:
            raise XMLFaultError(fault.clause, self._parser.CurrentLineNumber) from None
        except (LookupError, ValueError):
            raise XMLFaultError("it is written in an encoding that is not known", 1) from None

    def _refuse(self, *_: Any) -> None:
        raise XMLFaultError(DTD)


def _local(name: str) -> str:
    """Without its namespace."""
    return name.rpartition("}")[2]


def _sentence(fault: Any) -> str:
    """SOAP 1.1 says `faultstring`, 1.2 `Reason` with a `Text` in it."""
    if not isinstance(fault, dict):
        return fault if isinstance(fault, str) else ""
    said = fault.get("faultstring") or fault.get("Reason") or ""
    while isinstance(said, dict):
        said = said.get("Text") or said.get(TEXT) or ""
    if isinstance(said, list):
        said = said[0]
    return _sentence({"Reason": said}) if isinstance(said, dict) else str(said)
