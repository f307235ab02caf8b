"""How many rows a collection may have: `COLLECTION_ROWS`, for those of one version."""

from django.conf import settings

from slurps.models import Collection, Stage, Version
from slurps.modes import MODES
from slurps.storing.faults import UnstorableError

TOO_MANY = (
    "A collection may have {:,} rows here (COLLECTION_ROWS), and “{}” would have more. Nothing was stored: let the run "
    "give fewer, or fill another collection."
)
TOO_MANY_WAIT = (
    "A collection may have {:,} rows here (COLLECTION_ROWS), and “{}” would have more with this result, which goes on "
    "waiting: drop it, or approve it once more rows are allowed."
)


def most_written(collection: Collection) -> int | None:
    """How many rows one load may bring; None for as many as come."""
    if not settings.COLLECTION_ROWS:
        return None
    there = collection.current.rows if MODES[collection.mode].write == "append" and collection.current else 0
    return max(0, int(settings.COLLECTION_ROWS) - there)


def too_many(collection: Collection) -> UnstorableError:
    """What is raised then."""
    return UnstorableError(TOO_MANY.format(settings.COLLECTION_ROWS, collection.name))


def ensure_room(version: Version, collection: Collection) -> None:
    """Raises UnstorableError when it has more rows than it may; one that was held is stored, and stays."""
    if settings.COLLECTION_ROWS and version.rows > settings.COLLECTION_ROWS:
        if version.stage == Stage.HELD:
            raise UnstorableError(TOO_MANY_WAIT.format(settings.COLLECTION_ROWS, collection.name))
        raise too_many(collection)
