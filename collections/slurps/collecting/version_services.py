"""What can be done with the versions of a collection."""

from datetime import datetime
from typing import Any

from django.db import transaction

from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces import audit
from slurps.collecting.services import GONE, locked
from slurps.models import Collection, Stage, Version
from slurps.storing import rolling_back, swapping
from slurps.storing.faults import BusyError, HeldError, SupersededError, UnstorableError
from slurps.storing.pruning import prune, retire

NOT_HELD = "This result does not wait for approval any more: it was decided, or a newer one has taken its place."
NOT_KEPT = "Version {} is not kept any more: choose one of those that are listed."
NOT_PINNED = "Version {} is not pinned."


def approve_version(*, version: Version, by: audit.Actor, now: datetime) -> Version:
    """Let readers see what waits. Raises Conflict when it does not wait any more, or there would be too many rows."""
    try:
        with transaction.atomic():
            shown = swapping.approve(version)
            shown.approved_at = now
            shown.save(update_fields=["approved_at"])
            _record(version, by=by, action="collection.approve", now=now, changes={"version": [None, shown.number]})
    except SupersededError:
        raise Conflict(NOT_HELD) from None
    except UnstorableError as error:
        raise Conflict(str(error)) from None
    prune(version.collection)
    return shown


def drop_version(*, version: Version, by: audit.Actor, now: datetime) -> None:
    """Throw away what waits. Raises Conflict when it does not wait any more."""
    try:
        with transaction.atomic():
            swapping.drop(version)
            _record(version, by=by, action="collection.drop", now=now)
    except SupersededError:
        raise Conflict(NOT_HELD) from None
    prune(version.collection)


def roll_back_to(*, version: Version, by: audit.Actor, now: datetime) -> Version:
    """Make a new version with the rows of this one. Raises Conflict where it is gone, or a load goes on or waits."""
    try:
        rolling_back.clear_way(version.collection)
        with transaction.atomic():
            made = rolling_back.roll_back(collection=version.collection, to=version, now=now)
            changes = {"version": [version.number, made.number]}
            _record(version, by=by, action="collection.roll_back", now=now, changes=changes)
    except Collection.DoesNotExist:
        raise Conflict(GONE) from None
    except Version.DoesNotExist:
        raise Conflict(NOT_KEPT.format(version.number)) from None
    except (BusyError, HeldError) as error:
        raise Conflict(str(error)) from None
    prune(version.collection)
    return made


@transaction.atomic
def pin_version(*, version: Version, by: audit.Actor, now: datetime) -> Collection:
    """Let readers see this one until it is unpinned, whatever runs bring meanwhile. Raises Conflict if it is gone."""
    collection = locked(version.collection)
    if not collection.versions.filter(pk=version.pk, stage=Stage.READY).exists():
        raise Conflict(NOT_KEPT.format(version.number))
    before = collection.pinned.number if collection.pinned else None
    if collection.pinned_id != version.pk:
        _set_pinned(collection, version)
        changes = {"pinned": [before, version.number]}
        _record(version, by=by, action="collection.pin", now=now, changes=changes)
    return collection


def unpin_version(*, version: Version, by: audit.Actor, now: datetime) -> Collection:
    """Let readers see the newest one again. Raises Conflict if it is not this one that is pinned."""
    with transaction.atomic():
        collection = locked(version.collection)
        if collection.pinned_id != version.pk:
            raise Conflict(NOT_PINNED.format(version.number))
        _set_pinned(collection, None)
        _record(version, by=by, action="collection.unpin", now=now, changes={"pinned": [version.number, None]})
    prune(collection)
    return collection


def _set_pinned(collection: Collection, version: Version | None) -> None:
    collection.pinned = version
    collection.save(update_fields=["pinned", "updated_at"])
    retire(collection)  # the one that was pinned before may be kept no more


def _record(version: Version, **entry: Any) -> None:
    audit.record(subject=version.collection.name, application=version.collection.application, **entry)
