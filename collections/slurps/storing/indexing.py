"""Other fields that are to be found quickly: the slots of the rows that are there are filled anew, batch by batch.

Who reads meanwhile does without the slots. What is left when there was no time for all a tick of the system does.
"""

import time
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from slurps.models import SLOTS, Collection, Stage
from slurps.storing.encoding import SLOT_LETTERS
from slurps.storing.faults import HeldError
from slurps.storing.staging import make_room

# So many rows are changed in one transaction, and more only where a single place has more.
BATCH = 5_000

HELD = "A result waits for approval in “{}”, with the slots that it has. Approve or drop it first."

# As `slot_of` has it: texts by their beginning, and JSON's null for what has parts.
_SLOT = f"""
CASE jsonb_typeof(data -> %(name{{n}})s)
WHEN 'string' THEN to_jsonb(left(data ->> %(name{{n}})s, {SLOT_LETTERS}))
WHEN 'object' THEN 'null'::jsonb WHEN 'array' THEN 'null'::jsonb WHEN 'null' THEN NULL
ELSE data -> %(name{{n}})s END
"""


# Where the batch ends: a place may have as many rows as versions are kept.
_END = """
SELECT position FROM collections_row
WHERE collection_id = %(collection)s AND position >= %(start)s AND position < %(positions)s
ORDER BY position, first OFFSET %(batch)s LIMIT 1
"""


@transaction.atomic
def choose(collection: Collection, indexed: Sequence[str]) -> Collection:
    """Have these fields indexed from now on; `fill` makes it true of the rows that are there.

    Raises BusyError while a run fills the collection, and HeldError while a result waits: theirs are the old slots.
    """
    collection = Collection.objects.select_for_update().get(pk=collection.pk)
    if collection.versions.filter(stage=Stage.HELD).exists():
        raise HeldError(HELD.format(collection.name))
    make_room(collection)
    collection.indexed = list(indexed)
    collection.filling = 0
    collection.save(update_fields=["indexed", "filling", "updated_at"])
    return collection


def fill(collection: Collection, *, seconds: float) -> bool:
    """Fill slots for as long as this, or until all are. Returns whether all are."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if _filled(collection.pk):
            return True
    return False


@transaction.atomic
def _filled(collection_id: int) -> bool:
    """Fill one batch. Whether it was the last one."""
    collection = Collection.objects.select_for_update().filter(pk=collection_id).first()
    if collection is None or collection.filling is None:
        return True
    start = collection.filling
    with connection.cursor() as cursor:
        end = _end(cursor, collection, start)
        cursor.execute(_statement(collection.indexed), _values(collection, start, end or collection.positions))
    collection.filling = end
    collection.save(update_fields=["filling"])
    return end is None


def _end(cursor: Any, collection: Collection, start: int) -> int | None:
    """The place after those that make up one batch; None where these are the last."""
    values = {"collection": collection.pk, "start": start, "positions": collection.positions, "batch": BATCH}
    cursor.execute(_END, values)
    found = cursor.fetchone()
    return max(start + 1, found[0]) if found else None


def _statement(indexed: Sequence[str]) -> str:
    slots = [_SLOT.format(n=n) if n < len(indexed) else "NULL" for n in range(SLOTS)]
    sets = ", ".join(f"slot{n + 1} = {slot}" for n, slot in enumerate(slots))
    return (
        f"UPDATE collections_row SET {sets} WHERE collection_id = %(collection)s"  # noqa: S608  ours, with parameters
        " AND position >= %(start)s AND position < %(end)s"
    )


def _values(collection: Collection, start: int, end: int) -> dict[str, Any]:
    named = {f"name{n}": name for n, name in enumerate(collection.indexed)}
    return {"collection": collection.pk, "start": start, "end": end, **named}


def go_on_filling(*, seconds: float = 5.0) -> None:
    """Fill slots that were left when somebody chose other fields: a part of the system's tick."""
    until = time.monotonic() + seconds
    for collection in Collection.objects.filter(filling__isnull=False).order_by("updated_at")[:10]:
        fill(collection, seconds=until - time.monotonic())
