"""What the rows of a collection take up, and which version brought how much of it: as near as their lengths tell."""

from collections.abc import Sequence
from typing import NamedTuple

from slurps.models import Collection, Stage, Version
from slurps.modes import MODES

# What a row takes up besides what it holds, in bytes: its head, and its places in indexes.
BESIDES = 100


class Storage(NamedTuple):
    """Bytes in all, and of each version by its number: what would not be there without it and those before it."""

    total: int
    versions: dict[int, int]


def storage_of(collection: Collection) -> Storage:
    """One query, however many versions and rows there are."""
    stages = (Stage.READY, Stage.HELD)
    versions = Version.objects.for_application(collection.application).filter(collection=collection, stage__in=stages)
    kept = list(versions.defer("columns", "known", "flagged", "remembered").order_by("number"))
    brought = _brought(MODES[collection.mode].write, [one for one in kept if one.number is not None])
    held = sum(one.bytes + BESIDES * one.written for one in kept if one.number is None)
    return Storage(sum(brought.values()) + held, brought)


def _brought(write: str, kept: Sequence[Version]) -> dict[int, int]:
    """Number of a version → what is stored because of it. The oldest has all that was there before."""
    written = sum(one.written for one in kept)
    usual = sum(one.bytes for one in kept if one.written) / written if written else 0
    found: dict[int, int] = {}
    seen: set[int] = set()
    for place, one in enumerate(kept):
        is_copy = one.generation in seen  # one that was rolled back to where all are replaced shows the same rows
        seen.add(one.generation)
        whole = write == "replace" or place == 0
        rows = 0 if is_copy else one.rows if whole else one.added + one.changed
        each = one.bytes / one.written if one.written else usual
        found[one.number or 0] = round(rows * (each + BESIDES))
    return found
