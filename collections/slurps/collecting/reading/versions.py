"""Which version an address reads."""

from rest_framework.exceptions import NotFound

from badgerjobs.web.problems import Conflict, Invalid
from slurps.collecting.reading.cursors import OTHER_QUERY, Bookmark
from slurps.models import Collection, Version
from slurps.modes import MODES

NO_VERSION = "The collection “{}” has no version {}, or does not keep it any more."
GONE = (
    "Version {0}, which this cursor goes through, is not kept any more: begin anew without it. A versioned collection"
    " that keeps more of them lets readers finish."
)


class GoneError(Conflict):
    """The version through which a cursor goes is not kept any more."""

    def __init__(self, number: int) -> None:
        super().__init__(GONE.format(number))
        self.number = number


def nothing(collection: Collection) -> Version:
    """What a collection is before its first version."""
    return Version(collection=collection, application_id=collection.application_id, generation=0, floor=1)


def version_for(collection: Collection, number: int | None, mark: Bookmark | None) -> Version:
    """The one that is asked for, or that a cursor goes through, or that readers see.

    Raises NotFound; GoneError where a cursor cannot go on: where rows are merged or added their places stay, and it
    does, in the rows as they are now.
    """
    if mark is not None:
        return _further(collection, number, mark)
    if number is None:
        return collection.pinned or collection.current or nothing(collection)
    if (found := _numbered(collection, number)) is None:
        raise NotFound(NO_VERSION.format(collection.name, number))
    return found


def _further(collection: Collection, number: int | None, mark: Bookmark) -> Version:
    if number is not None and number != mark.version:
        raise Invalid(**{"$cursor": OTHER_QUERY})
    if found := _numbered(collection, mark.version):
        return found
    if number is not None or MODES[collection.mode].write == "replace" or collection.current is None:
        raise GoneError(mark.version)
    return collection.pinned or collection.current


def _numbered(collection: Collection, number: int) -> Version | None:
    versions = Version.objects.for_application(collection.application).filter(collection=collection)
    return versions.ready().filter(number=number).first()
