"""An entry of the audit log as people read it, and as files carry it."""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from itertools import islice
from typing import Any

from badgerjobs.workspaces.audit import ACTIONS
from badgerjobs.workspaces.models import AuditEntry


@dataclass(frozen=True, slots=True)
class Change:
    """A field, and its value before and after: a text, or None where there was none. Or what it names, all of it."""

    field: str
    before: str | None = None
    after: str | None = None
    names: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """An entry, what was done in words, and what it changed."""

    entry: AuditEntry
    done: str
    changes: list[Change]


def line_of(entry: AuditEntry) -> Line:
    """The entry in words."""
    return Line(entry, ACTIONS.get(entry.action, entry.action), list(_changes(entry.changes)))


def _changes(changes: dict[str, list[Any]]) -> Iterator[Change]:
    for field, (before, after) in changes.items():
        name = field.replace("_", " ")
        if isinstance(before, dict) and isinstance(after, dict):
            for key in {**before, **after}:
                yield Change(f"{name}: {key}", before.get(key), after.get(key))
        elif isinstance(after, list):
            yield Change(name, names=", ".join(str(one) for one in after))
        else:
            yield Change(name, _text(before), _text(after))


def _text(value: Any) -> str | None:
    if value in (None, ""):
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


COLUMNS = ("time", "actor", "via", "address", "action", "subject", "application", "changes", "id")


def _values(entry: AuditEntry) -> dict[str, Any]:
    at = entry.created_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "time": at,
        "actor": entry.actor,
        "via": entry.via,
        "address": entry.address,
        "action": entry.action,
        "subject": entry.subject,
        "application": entry.application_name,
        "changes": entry.changes,
        "id": str(entry.id),
    }


class _Echo:
    """What a CSV writer writes to: it gives each line back."""

    def write(self, line: str) -> str:
        return line


# A cell that begins with one of these is a formula to a spreadsheet, which might run it.
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULAS) else cell


def as_csv(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """A header and a line for each entry, with an apostrophe before what a spreadsheet would take for a formula."""
    writer: Any = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    for entry in entries:
        values = _values(entry)
        values["changes"] = json.dumps(values["changes"], ensure_ascii=False) if values["changes"] else ""
        yield writer.writerow([_harmless(str(values[name])) for name in COLUMNS])


def in_chunks(lines: Iterable[str], count: int = 200) -> Iterator[str]:
    """The same text in fewer pieces: each piece is one write to the network."""
    rest = iter(lines)
    while chunk := "".join(islice(rest, count)):
        yield chunk


def as_json_lines(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """A JSON object on a line for each entry."""
    for entry in entries:
        yield json.dumps(_values(entry), ensure_ascii=False) + "\n"
