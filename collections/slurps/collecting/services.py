"""What can be done with collections."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces import audit
from slurps.models import AsyncJob, Collection
from slurps.storing import indexing
from slurps.storing.faults import BusyError, HeldError
from slurps.storing.pruning import prune, retire
from slurps.storing.staging import drop_table, hold_job

# Told of in the audit log.
FACTS = ("mode", "key", "keep", "indexed", "guards", "readers")
# So long somebody waits for slots to be filled, in seconds; a tick of the system fills the rest.
FILLING_S = 10.0

TAKEN = "There is a collection with the name “{}” in this application already, and its name is its address."
GONE = "This collection was deleted in the meantime."


def create_collection(
    *, job: AsyncJob, name: str, mode: str, by: audit.Actor, now: datetime, **fields: Any
) -> Collection:
    """Make a collection of an async job, which stores nothing in it before it is activated. Raises Conflict.

    `fields`, checked, are `key`, `keep`, `indexed`, `guards` and `readers`.
    """
    collection = Collection(application=job.application, async_job=job, name=name, mode=mode, **fields)
    try:
        with transaction.atomic():
            collection.save(force_insert=True)
            changes = audit.difference({}, {"async job": job.tag, **_facts(collection)})
            _record(collection, by=by, action="collection.create", now=now, changes=changes)
    except IntegrityError:
        raise Conflict(TAKEN.format(name)) from None
    return collection


def update_collection(*, collection: Collection, by: audit.Actor, now: datetime, **fields: Any) -> Collection:
    """Change `keep`, `indexed`, `guards` and `readers`, as far as they are given.

    Other indexed fields are put into the slots of the rows that are there. Raises Conflict while a run fills the
    collection or a result waits, whose slots would be the old ones, and when somebody deleted it meanwhile.
    """
    indexed: Sequence[str] | None = fields.pop("indexed", None)
    with transaction.atomic():
        hold_job(collection)  # it is written twice, so that its commit looks at the job again
        collection = locked(collection)
        before = _facts(collection)
        changed = [name for name, value in fields.items() if value != getattr(collection, name)]
        for name in changed:
            setattr(collection, name, fields[name])
        if changed:
            collection.save(update_fields=[*changed, "updated_at"])
        if "keep" in changed:
            retire(collection)
        if is_indexed_anew := indexed is not None and list(indexed) != collection.indexed:
            _choose(collection, indexed or [])
        if changes := audit.difference(before, _facts(collection)):
            _record(collection, by=by, action="collection.update", now=now, changes=changes)
    if "keep" in changed:
        prune(collection)
    if is_indexed_anew:
        indexing.fill(collection, seconds=FILLING_S)
        collection.filling = _still_filling(collection)
    return collection


def _still_filling(collection: Collection) -> int | None:
    """Somebody may have deleted it meanwhile."""
    return Collection.objects.filter(pk=collection.pk).values_list("filling", flat=True).first()


def _choose(collection: Collection, indexed: Sequence[str]) -> None:
    try:
        chosen = indexing.choose(collection, indexed)
    except (BusyError, HeldError) as error:
        raise Conflict(str(error)) from None
    collection.indexed, collection.filling = chosen.indexed, chosen.filling


@transaction.atomic
def delete_collection(*, collection: Collection, by: audit.Actor, now: datetime) -> None:
    """Delete it with its versions, at once. Its rows, which nobody can reach any more, go by and by."""
    collection = locked(collection)
    facts = _facts(collection)
    # Who sends rows holds the version, and then its table: so do we.
    for version in collection.versions.select_for_update(of=("self",)).order_by("pk"):
        drop_table(version)
    collection.delete()
    _record(
        collection,
        by=by,
        action="collection.delete",
        now=now,
        changes=audit.difference(facts, dict.fromkeys(facts)),
    )


@transaction.atomic
def activate(*, collection: Collection, by: audit.Actor, now: datetime) -> Collection:
    """Have the next runs of its async job fill it, and no other: the one that was active before is not any more."""
    # Who activates two at once does it one after the other.
    hold_job(collection)
    collection = locked(collection)
    if collection.is_active:
        return collection
    others = Collection.objects.filter(async_job=collection.async_job_id, is_active=True)
    before = others.values_list("name", flat=True).first()
    others.update(is_active=False)
    collection.is_active = True
    collection.save(update_fields=["is_active", "updated_at"])
    changes = {"active": [before, collection.name]}
    _record(collection, by=by, action="collection.activate", now=now, changes=changes)
    return collection


@transaction.atomic
def deactivate(*, collection: Collection, by: audit.Actor, now: datetime) -> Collection:
    """Have no run fill it any more. It can be read as before."""
    collection = locked(collection)
    if collection.is_active:
        collection.is_active = False
        collection.save(update_fields=["is_active", "updated_at"])
        _record(collection, by=by, action="collection.deactivate", now=now)
    return collection


def locked(collection: Collection) -> Collection:
    """The same, as it is now, and for the transaction around nobody else's to change. Raises Conflict."""
    found = Collection.objects.select_for_update(of=("self",)).whole().filter(pk=collection.pk).first()
    if found is None:
        raise Conflict(GONE)
    found.application = collection.application
    return found


def _facts(collection: Collection) -> dict[str, Any]:
    facts = {name: getattr(collection, name) for name in FACTS}
    return {**facts, "guards": ", ".join(f"{name}: {value}" for name, value in collection.guards.items())}


def _record(collection: Collection, **entry: Any) -> None:
    audit.record(subject=collection.name, application=collection.application, **entry)
