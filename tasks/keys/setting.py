"""Values that are set and not fetched, such as by a webhook: stored as a sync would store them.

A value is replaced by a newer one only: of a fetch and what is set, the one which was asked for later. A key that is
set and whose value grows stale is fetched from its source like any other.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import connection, transaction

from badgerjobs.lib.storable import cleaned
from badgerjobs.sources.answers import compact
from badgerjobs.sources.fetch import VALUE_BYTES
from tasks.cache import copies
from tasks.cache.rows import is_name
from tasks.syncs.books import HOLD, STORE

NO_NAME = "“{}” is the name of no key: one has 1 to 400 characters."
TOO_LONG = "The value has {:,} bytes as JSON: a key may hold {:,}."


@dataclass(frozen=True, slots=True)
class Setting:
    """A value for a key, as compact JSON. `asked_at`: as of when it is; a value that was asked for later stays."""

    application_id: int
    name: str
    body: str
    asked_at: datetime

    @property
    def bytes(self) -> int:
        return len(self.body.encode())


def body_of(value: Any) -> str:
    """A JSON value as it is kept, without what cannot be. Raises ValueError for one that is too long."""
    return text_of(compact(cleaned(value)))


def text_of(body: str) -> str:
    """The same of what is compact and can be kept already."""
    size = len(body.encode())
    if size > VALUE_BYTES:
        raise ValueError(TOO_LONG.format(size, VALUE_BYTES))
    return body


def ensure_is_name(name: str) -> None:
    """Raises ValueError for what no key can be called."""
    if not is_name(name):
        raise ValueError(NO_NAME.format(f"{name[:100]}…" if len(name) > 100 else name))


def set_values(settings: Sequence[Setting], *, now: datetime) -> list[bool | None]:
    """Set them, in three statements, within the caller's transaction; their copies are forgotten after its commit.

    Returns of each whether it is stored: False where a newer value is there, None where there is no such key.
    """
    ids = _ids(settings)
    places = [ids.get((one.application_id, one.name)) for one in settings]
    newest: dict[int, int] = {}  # key → which of them is stored: of one moment the last
    for which, key_id in enumerate(places):
        if key_id is not None and (
            key_id not in newest or settings[newest[key_id]].asked_at <= settings[which].asked_at
        ):
            newest[key_id] = which
    stored = _store({key_id: settings[which] for key_id, which in newest.items()}, now)
    for application_id in {one.application_id for one in settings}:
        names = [
            settings[newest[key_id]].name
            for key_id in stored
            if settings[newest[key_id]].application_id == application_id
        ]
        transaction.on_commit(partial(copies.forget, application_id, names))
    return [
        None if key_id is None else newest[key_id] == which and key_id in stored for which, key_id in enumerate(places)
    ]


_IDS = """
SELECT k.application_id, k.name, k.id
FROM unnest(%(applications)s::bigint[], %(names)s::text[]) AS g(application_id, name)
JOIN tasks_cachekey k ON k.application_id = g.application_id AND k.name = g.name
"""


def _ids(settings: Sequence[Setting]) -> dict[tuple[int, str], int]:
    with connection.cursor() as cursor:
        given: dict[str, Any] = {
            "applications": [one.application_id for one in settings],
            "names": [one.name for one in settings],
        }
        cursor.execute(_IDS, given)
        return {(application_id, name): key_id for application_id, name, key_id in cursor.fetchall()}


def _store(wanted: Mapping[int, Setting], now: datetime) -> set[int]:
    """Returns the keys whose value is this one now."""
    keys, values = [*wanted], [*wanted.values()]
    with connection.cursor() as cursor:
        cursor.execute(HOLD, {"keys": keys})
        given: dict[str, Any] = {
            "keys": keys,
            "bodies": [one.body for one in values],
            "sizes": [one.bytes for one in values],
            "etags": [hashlib.sha256(one.body.encode()).hexdigest() for one in values],
            "starts": [one.asked_at for one in values],
            "ends": [now] * len(keys),
            "durations": [0] * len(keys),
        }
        cursor.execute(STORE, given)
        return {key_id for (key_id,) in cursor.fetchall()}
