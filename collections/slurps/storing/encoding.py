"""Rows as PostgreSQL's COPY takes them, and what is noticed of them on the way: their keys, columns and length."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from badgerjobs.lib.storable import ROW_BYTES, UNSTORABLE, cleaned
from slurps.models import KEY_LETTERS, SLOTS
from slurps.storing.columns import MOST_COLUMNS
from slurps.storing.faults import UnstorableError

# What is longer is found by its beginning.
SLOT_LETTERS = 200
# What a longer name has is stored, and is no column: versions, pages and headers of tables name all that there are.
NAME_LETTERS = 200

_NULL = "\\N"
_TYPES = {
    bool: "boolean", int: "number", float: "number", str: "text", dict: "object", list: "list", type(None): "null",
}  # fmt: skip

NO_KEY = "Row {:,} has no “{}”, by which rows of this collection are known again. Nothing was stored: {}."
ADVICE = "have the slurper leave such rows out, or give them one"
NOT_FLAT = (
    "Row {:,} is {}, and not an object with names and values. Nothing was stored: let the slurper make one of it."
)
TOO_LONG = (
    "Row {:,} has {:,} bytes as JSON, and at most {:,} can be stored. Nothing was stored: let the slurper shorten it."
)
NOT_JSON = "Row {:,} cannot be written as JSON: {}. Nothing was stored."


class Encoder:
    """Turns rows into lines of COPY, for one load: numbers them from 0, and counts what it sees.

    `known` are columns with the types that they had: values of others are left out and counted in `dropped`, but for
    those of the key, and nulls. None: nothing is left out.
    """

    def __init__(
        self, *, key: Sequence[str], indexed: Sequence[str], known: Mapping[str, set[str]] | None = None
    ) -> None:
        self._key, self._indexed = tuple(key), tuple(indexed)[:SLOTS]
        self._known = known
        self.dropped = 0
        # The columns that are known, and had values of other types, which were left out.
        self.retyped: set[str] = set()
        self._types: dict[str, Counter[type]] = {}
        self.rows = 0
        self.bytes = 0
        # The number of the first row.
        self.rows_before = 0

    def lines(self, rows: Iterable[Any], start: Sequence[object]) -> bytes:
        """A line for each row: what `start` says, its number, its key, its data and its slots.

        Raises UnstorableError.
        """
        before = "".join(f"{each}\t" for each in start)
        return "".join([f"{before}{self._line(row)}\n" for row in rows]).encode()

    def columns(self) -> list[dict[str, Any]]:
        """Each column that was seen, in order, with how often it had values of which type."""
        found: list[dict[str, Any]] = []
        for name, types in self._types.items():
            named: Counter[str] = Counter()
            for kind, count in types.items():
                named[_TYPES.get(kind, "text")] += count
            found.append({"name": cleaned(name), "types": dict(named)})
        return found

    def _line(self, row: Any) -> str:
        if type(row) is not dict:
            raise UnstorableError(NOT_FLAT.format(self.rows + 1, _called(row)))
        if self._known is not None:
            row = self._without_strange(row, self._known)
        text, row = self._written(row)
        for name, value in row.items():
            self._see(name, value)
        key = self._key_of(row) if self._key else _NULL
        slots = "".join([f"\t{self._slot(row, name)}" for name in self._indexed])
        rest = "\t\\N" * (SLOTS - len(self._indexed))
        line = f"{self.rows_before + self.rows}\t{key}\t{_escaped(text)}{slots}{rest}"
        self.rows += 1
        return line

    def _without_strange(self, row: Mapping[str, Any], known: Mapping[str, set[str]]) -> dict[str, Any]:
        """What it may keep of a row. A column that only ever was null takes any type, as one that is new could not."""
        kept = {name: value for name, value in row.items() if name in self._key or _is_known(known, name, value)}
        if len(kept) < len(row):
            self.dropped += len(row) - len(kept)
            self.retyped.update(found for name in row if name not in kept and (found := cleaned(name)) in known)
        return kept

    def _written(self, row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """As JSON, and the row as it can be kept: its key and its slots are of that."""
        try:
            text = written(row)
            if UNSTORABLE.search(text) or "\\u0000" in text:
                row = cleaned(row)
                text = written(row)
        except (TypeError, ValueError, RecursionError) as error:
            raise UnstorableError(NOT_JSON.format(self.rows + 1, error)) from None
        length = len(text.encode())
        if length > ROW_BYTES:
            raise UnstorableError(TOO_LONG.format(self.rows + 1, length, ROW_BYTES))
        self.bytes += length
        return text, row

    def _see(self, name: str, value: Any) -> None:
        types = self._types.get(name)
        if types is None:
            if len(self._types) == MOST_COLUMNS or len(name) > NAME_LETTERS:
                return
            types = self._types[name] = Counter()
        types[type(value)] += 1

    def _key_of(self, row: Mapping[str, Any]) -> str:
        for name in self._key:
            if row.get(name) is None:
                raise UnstorableError(NO_KEY.format(self.rows + 1, name, ADVICE))
        return _escaped(key_of([row[name] for name in self._key]))

    def _slot(self, row: Mapping[str, Any], name: str) -> str:
        return _escaped(written(slot_of(row[name]))) if row.get(name) is not None else _NULL


def written(value: Any) -> str:
    """Compact JSON. Raises TypeError and ValueError for what is none."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def key_of(values: Sequence[Any]) -> str:
    """What a key is known by: its JSON in ASCII, which keeps those together that come together; a long one's hash.

    `1` and `1.0` are the same number; `1` and `"1"` are two keys.
    """
    exact = [int(value) if type(value) is float and value.is_integer() else value for value in values]
    text = json.dumps(exact, sort_keys=True, separators=(",", ":"))
    return text if len(text) <= KEY_LETTERS else f"#{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"


def slot_of(value: Any) -> Any:
    """A value as it stands in a slot: texts by their beginning, and nothing of what has parts."""
    if isinstance(value, str):
        return cleaned(value[:SLOT_LETTERS])
    return None if isinstance(value, dict | list) else value


def _is_known(known: Mapping[str, set[str]], name: str, value: Any) -> bool:
    types = known.get(cleaned(name))
    if types is None:
        return len(known) >= MOST_COLUMNS  # which they are beyond so many, nobody noted
    return value is None or types <= {"null"} or _TYPES.get(type(value), "text") in types


def _escaped(text: str) -> str:
    """As COPY reads it: JSON has no raw tabs and line feeds, but backslashes."""
    return text.replace("\\", "\\\\") if "\\" in text else text


def _called(value: Any) -> str:
    name = _TYPES.get(type(value), "something else")
    return f"a {name}" if name not in {"object", "null"} else "null"
