"""Showing what was loaded: all of it, in one transaction, by one pointer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from badgerjobs.runs.models import Run
from slurps.models import AsyncJob, Collection, Stage, Version
from slurps.modes import MODES
from slurps.storing.bounds import ensure_room
from slurps.storing.columns import together
from slurps.storing.encoding import Encoder
from slurps.storing.faults import SupersededError
from slurps.storing.merging import merge
from slurps.storing.pruning import retire
from slurps.storing.staging import discard, drop_table, ensure_ours, hold_job, keep_table

# What became of a result that was held, where it is no version: as its run's output calls it.
DROPPED, REPLACED, GONE = "dropped", "replaced", "gone"
# What nobody has counted before a result is shown: while it is held it is null.
COUNTED_LATER = ("rows", "added", "changed", "unchanged", "removed")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load was, when its last row had been sent. `retyped` are columns of which guards left values out."""

    read: int
    written: int
    bytes: int
    columns: list[dict[str, object]]
    dropped: int = 0
    retyped: frozenset[str] = frozenset()


def loaded_by(encoder: Encoder, *, read: int, dropped: int = 0) -> Loaded:
    """What an encoder has seen."""
    return Loaded(
        read, encoder.rows, encoder.bytes, encoder.columns(), dropped + encoder.dropped, frozenset(encoder.retyped)
    )


@transaction.atomic
def show(
    version: Version, loaded: Loaded, *, worker: UUID | None, remembered: Mapping[str, Any] | None = None
) -> Version:
    """Let readers see it from the commit on; what its sources gave to go on from is remembered with it.

    Raises SupersededError, and UnstorableError when rows were lost.
    """
    assert version.run_id is not None  # noqa: S101  one that was rolled back to is shown already
    hold_job(version.collection)
    ensure_ours(version.run_id, worker)
    version, collection = held(version)
    _note(version, loaded)
    _remember(collection, remembered)
    return _shown(version, collection)


@transaction.atomic
def hold(
    version: Version,
    loaded: Loaded,
    flags: Sequence[Any],
    *,
    worker: UUID | None,
    remembered: Mapping[str, Any] | None = None,
) -> Version:
    """Keep it where nobody sees it, until somebody approves or drops it. Raises SupersededError."""
    assert version.run_id is not None  # noqa: S101
    hold_job(version.collection)
    ensure_ours(version.run_id, worker)
    version, collection = held(version)
    _overtake(version, collection)
    _note(version, loaded)
    version.flagged, version.stage = [*flags], Stage.HELD
    version.remembered = dict(remembered or {})
    version.save()
    if MODES[collection.mode].write == "upsert":
        keep_table(version)
    elif MODES[collection.mode].write == "replace":
        # Its rows have their places: what is loaded meanwhile gets others.
        collection.positions += version.written
        collection.save(update_fields=["positions"])
    return version


@transaction.atomic
def approve(version: Version) -> Version:
    """Let readers see what was held. Raises SupersededError when it was dropped, or overtaken, and UnstorableError."""
    hold_job(version.collection)
    version, collection = held(version)
    was_placed = version.stage == Stage.HELD and MODES[collection.mode].write == "replace"
    _remember(collection, version.remembered)
    if was_placed:
        collection.positions -= version.written
    version = _shown(version, collection)
    _tell_run(version, approved_output(version, collection.name))
    return version


@transaction.atomic
def drop(version: Version) -> None:
    """Throw away what was held. Raises SupersededError when it was approved, or overtaken."""
    hold_job(version.collection)
    version, collection = held(version)
    _tell_run(version, {**output_of(version, collection), "stage": DROPPED})
    discard(version)


def _remember(collection: Collection, remembered: Mapping[str, Any] | None) -> None:
    if remembered:
        job = AsyncJob.objects.get(pk=collection.async_job_id)  # it is held
        job.remembered = {**job.remembered, **remembered}
        job.save(update_fields=["remembered"])


def held(version: Version) -> tuple[Version, Collection]:
    """A version and its collection, locked, as they are now. Raises SupersededError when one of them is gone."""
    collections = Collection.objects.select_for_update(of=("self",)).select_related("current")
    collection = collections.filter(pk=version.collection_id).first()
    found = Version.objects.select_for_update().filter(pk=version.pk, stage__in=(Stage.STAGING, Stage.HELD)).first()
    if found is None or collection is None:
        raise SupersededError
    return found, collection


def _note(version: Version, loaded: Loaded) -> None:
    version.read, version.written, version.bytes = loaded.read, loaded.written, loaded.bytes
    version.columns, version.dropped = loaded.columns, loaded.dropped


def _overtake(version: Version, collection: Collection) -> None:
    """Let it take the place of what waited, and the runs that left that say so. Within a transaction."""
    waiting = list(collection.versions.filter(stage=Stage.HELD).exclude(pk=version.pk))
    if not waiting:
        return
    ids = {each.run_id for each in (version, *waiting) if each.run_id}
    numbers: dict[UUID | None, int] = dict(Run.objects.filter(pk__in=ids).values_list("pk", "number"))
    version.overtook = [numbers[other.run_id] for other in waiting if other.run_id in numbers]
    told = {"stage": REPLACED, "replaced_by": numbers.get(version.run_id)}
    for other in waiting:
        _tell_run(other, {**output_of(other, collection), **told})
        discard(other)


def _tell_run(version: Version, output: Mapping[str, Any]) -> None:
    """Have the run that left it say what became of it."""
    if version.run_id:
        Run.objects.filter(pk=version.run_id).update(output=output)


def _shown(version: Version, collection: Collection) -> Version:
    _count(version, collection)
    if MODES[collection.mode].write == "replace":
        _overtake(version, collection)
    collection.numbered += 1
    version.number, version.stage = collection.numbered, Stage.READY
    version.save()
    collection.current = version
    collection.save(update_fields=["numbered", "current", "positions", "updated_at"])
    retire(collection)
    return version


def _count(version: Version, collection: Collection) -> None:
    """What it is to the version before, which is merged into where it is an upsert."""
    version.known = version.columns
    if MODES[collection.mode].write != "replace" and collection.current:
        version.known = together(collection.current.known, version.columns)
    before = collection.current.rows if collection.current else 0
    match MODES[collection.mode].write:
        case "replace":
            version.added, version.removed, version.rows = version.written, before, version.written
            collection.positions += version.written
        case "append":
            version.added, version.rows = version.written, before + version.written
            collection.positions += version.written
        case "upsert":
            base = collection.current.generation if collection.current else 0
            merged = merge(version, collection, base=base, written=version.written)
            version.added, version.changed, version.unchanged = merged.added, merged.changed, merged.unchanged
            version.rows = before + merged.added
            collection.positions += merged.added
            drop_table(version)
    ensure_room(version, collection)
    version.ends_at = version.starts_at + version.rows
    if MODES[collection.mode].write != "replace":
        version.ends_at = collection.positions


@transaction.atomic
def give_up(version: Version) -> None:
    """Take back what an attempt has loaded, if it is there still: readers have seen nothing of it."""
    if found := Version.objects.select_for_update().filter(pk=version.pk, stage=Stage.STAGING).first():
        discard(found)


def made_by(run_id: UUID) -> Version | None:
    """What a run has left already, though it may be kept no more: in an attempt whose end nobody heard of."""
    return Version.objects.filter(run_id=run_id).exclude(stage=Stage.STAGING).first()


@transaction.atomic
def left_by(run_id: UUID) -> Version | None:
    """The same of a run that was ended just now: one that is being committed is waited for."""
    found = Version.objects.select_for_update(of=("self",), no_key=True).select_related("collection")
    return next((one for one in found.filter(run_id=run_id) if one.stage != Stage.STAGING), None)


def output_of(version: Version, collection: Collection) -> dict[str, Any]:
    """What a run leaves, as JSON."""
    return _told(version, collection.name)


def approved_output(version: Version, name: str) -> dict[str, Any]:
    """The same of a result that was held and approved, in the collection with this name. It may be kept no more."""
    return {**_told(version, name), "stage": Stage.READY.value, "approved": True}


def _told(version: Version, name: str) -> dict[str, Any]:
    names = ("stage", "read", "written", "added", "changed", "unchanged", "removed", "dropped", "rows", "bytes")
    output = {"collection": name, "version": version.number, **{each: getattr(version, each) for each in names}}
    return output if version.stage != Stage.HELD else {**output, **dict.fromkeys(COUNTED_LATER)}
