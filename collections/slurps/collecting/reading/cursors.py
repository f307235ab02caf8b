"""Cursors: where the next page begins, or the one before ends.

They are encrypted, since positions count what others need not know.
"""

import hashlib
import json
from dataclasses import astuple, dataclass

from django.conf import settings

from badgerjobs.lib import vault
from badgerjobs.web.problems import Invalid
from slurps.collecting.reading.asking import Asked
from slurps.collecting.reading.statements import Place

NO_CURSOR = "This is no cursor of ours: take it from the page before."
OTHER_QUERY = "This cursor belongs to another query: keep the filters, $search, $sort and the version, or begin anew."


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A place in a version of a collection, as one query has it: a page begins behind it, or ends before it."""

    collection: int
    version: int
    query: str
    place: Place
    is_back: bool = False


def written(mark: Bookmark) -> str:
    """The cursor that leads there."""
    told = json.dumps([mark.collection, mark.version, mark.query, *astuple(mark.place), *([1] if mark.is_back else [])])
    return vault.encrypt(told, settings.ENCRYPTION_KEYS).rstrip("=")


def read(cursor: str, *, collection: int) -> Bookmark:
    """Where a cursor leads. Raises Invalid for one that is none, or another collection's."""
    try:
        whole = cursor + "=" * (-len(cursor) % 4)
        its, version, of, part, value, position, *back = json.loads(vault.decrypt(whole, settings.ENCRYPTION_KEYS))
    except (vault.CannotDecryptError, ValueError, TypeError):
        raise Invalid(**{"$cursor": NO_CURSOR}) from None
    if its != collection:
        raise Invalid(**{"$cursor": OTHER_QUERY})
    return Bookmark(its, version, of, Place(part, value, position), bool(back))


def ensure_same(mark: Bookmark, query: str) -> None:
    """Raises Invalid for a cursor of another query."""
    if mark.query != query:
        raise Invalid(**{"$cursor": OTHER_QUERY})


def query_of(asked: Asked) -> str:
    """What must stay the same from page to page."""
    told = [asked.sort, asked.words, sorted((one.parameter, one.value) for one in asked.filters)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
