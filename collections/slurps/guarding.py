"""Guards: what holds a result for approval before readers see it. Each is off until it is switched on."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypedDict

from django.db import connection

from badgerjobs.lib import words
from slurps.models import Collection, Version
from slurps.modes import MODES
from slurps.storing.columns import types_of
from slurps.storing.staging import table_of
from slurps.storing.swapping import Loaded

# About columns that vanish, appear or change their type: nothing, hold the result, or leave their values out.
Columns = Literal["evolve", "freeze", "discard"]
# So many columns are named.
NAMED = 10


class Flag(TypedDict):
    """Why a result is held: the guard's name, and a sentence."""

    guard: str
    message: str


def flags_of(collection: Collection, version: Version, loaded: Loaded) -> list[Flag]:
    """Why this result is to be held; empty where it may be shown."""
    flags: list[Flag] = []
    for name, setting in collection.guards.items():
        is_on = setting is not None and setting is not False  # 0 % fewer is a bound, too
        if is_on and (message := GUARDS[name](setting, collection, version, loaded)):
            flags.append({"guard": name, "message": message})
    return flags


def held_back(flags: Sequence[Flag]) -> str:
    """The sentence for a run's log."""
    return f"The result waits for approval: {' '.join(flag['message'] for flag in flags)} Readers see what they saw."


def _empty(_setting: Any, _collection: Collection, _version: Version, loaded: Loaded) -> str:
    return "" if loaded.written else "It has no rows."


def _smaller(percent: float, collection: Collection, _version: Version, loaded: Loaded) -> str:
    """Of what is replaced: where rows are only added nothing gets smaller."""
    before = collection.current.rows if collection.current else 0
    if MODES[collection.mode].write != "replace" or loaded.written >= before * (1 - percent / 100):
        return ""
    less = 100 * (1 - loaded.written / before)
    rows = words.counted(loaded.written, "row")
    return f"It has {rows}, {less:.0f} % fewer than the {before:,} before; {percent:g} % may be missing."


def _columns(setting: Columns, collection: Collection, _version: Version, loaded: Loaded) -> str:
    if setting == "evolve" or not collection.current or not collection.current.columns or not loaded.written:
        return ""
    before, now = types_of(collection.current.columns), types_of(loaded.columns)
    gone = [name for name in before if name not in now]
    said = [_told("vanished", [name for name in gone if name not in loaded.retyped])]
    said.append(_told("came with another type and were left out", [name for name in gone if name in loaded.retyped]))
    if setting == "freeze":
        known = types_of(collection.current.known)
        said.append(_told("are new", [name for name in now if name not in known]))
        changed = [name for name in known if name in now and (now[name] - {"null"}) - known[name]]
        said.append(_told("changed their type", changed))
    return " ".join(filter(None, said))


def _repeated(_setting: Any, collection: Collection, version: Version, _loaded: Loaded) -> str:
    if MODES[collection.mode].write != "upsert":
        return ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) - count(DISTINCT key) FROM {table_of(version)}")  # noqa: S608  ours
        [(count,)] = cursor.fetchall()
    if not count:
        return ""
    return f"{words.counted(count, 'row')} {'repeats' if count == 1 else 'repeat'} a key that another one has."


Guard = Callable[[Any, Collection, Version, Loaded], str]

GUARDS: Mapping[str, Guard] = {
    "empty": _empty,
    "smaller_percent": _smaller,
    "columns": _columns,
    "repeated_keys": _repeated,
}


def _told(what: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"Columns {what}: {', '.join(names[:NAMED])}{more}."
