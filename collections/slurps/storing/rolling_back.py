"""Rolling a collection back: a new version that has the rows of an old one."""

from datetime import datetime
from typing import Any

from django.db import connection, transaction

from slurps.models import Collection, Stage, Version
from slurps.modes import MODES
from slurps.storing.faults import BusyError
from slurps.storing.pruning import clear, retire
from slurps.storing.staging import TAKES_LONG, make_room

# How long somebody waits until what was half loaded is gone, in seconds.
CLEARING_S = 10.0

LEFT = "Rows that a run has left half loaded in “{}” are being deleted: try again in a minute."

_CLOSE = """
UPDATE collections_row SET last = %(base)s
WHERE collection_id = %(collection)s AND first > %(back)s AND first <= %(base)s AND last IS NULL
"""
_REOPEN = """
INSERT INTO collections_row (collection_id, position, first, key, data, slot1, slot2, slot3, slot4)
SELECT collection_id, position, %(generation)s, key, data, slot1, slot2, slot3, slot4 FROM collections_row
WHERE collection_id = %(collection)s AND first <= %(back)s AND last >= %(back)s
"""


def clear_way(collection: Collection) -> None:
    """Take back what was left half loaded, before a transaction that rolls it back. Raises as `roll_back`.

    Where each version has rows of its own, none of what was left is in the way.
    """
    if MODES[collection.mode].write == "replace":
        return
    with transaction.atomic():
        collection = Collection.objects.select_for_update().get(pk=collection.pk)
        make_room(collection)
    if not clear(collection, seconds=CLEARING_S):
        raise BusyError(LEFT.format(collection.name))


@transaction.atomic
def roll_back(*, collection: Collection, to: Version, now: datetime) -> Version:
    """Make a version with the rows of an older one, and show it. Costs what differs, where rows are merged.

    Where they are, what is being loaded follows the version that is seen now: raises BusyError while a run fills it,
    and HeldError while a result waits for approval. Raises Version.DoesNotExist for one that is not kept any more.
    """
    collection = Collection.objects.select_for_update(of=("self",)).select_related("current").get(pk=collection.pk)
    to = collection.versions.get(pk=to.pk, stage=Stage.READY)
    if MODES[collection.mode].write != "replace":
        make_room(collection)
        clear(collection)  # after `clear_way` hardly any: rows that it is to show again must not be among them
    collection.numbered += 1
    made = Version(
        application_id=collection.application_id, collection=collection, stage=Stage.READY, number=collection.numbered,
        generation=to.generation, floor=to.floor, starts_at=to.starts_at, ends_at=to.ends_at, rolled_back_to=to.number,
        rows=to.rows, bytes=to.bytes, columns=to.columns, known=to.known, created_at=now,
    )  # fmt: skip
    if MODES[collection.mode].write != "replace":
        collection.generation += 1
        made.generation = collection.generation
        _rewind(collection, to, made)
    made.save()
    collection.current = made
    collection.save(update_fields=["generation", "numbered", "current", "updated_at"])
    retire(collection)
    return made


def _rewind(collection: Collection, to: Version, made: Version) -> None:
    base = collection.current.generation if collection.current else 0
    values: dict[str, Any] = {
        "collection": collection.pk, "base": base, "back": to.generation, "generation": made.generation,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(TAKES_LONG)
        cursor.execute(_CLOSE, values)
        made.removed = cursor.rowcount
        cursor.execute(_REOPEN, values)
        made.added = cursor.rowcount
