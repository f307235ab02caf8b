"""Reading the audit log backwards in bounded pieces, however long it is and however rare what one looks for."""

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from badgerjobs.workspaces.models import AuditEntry
from badgerjobs.workspaces.querysets import AuditQuerySet

# So many entries are looked at for one piece, found or not: a few milliseconds of work.
PIECE = 20_000


class Found(NamedTuple):
    """`entries`, newest first; what is older begins `before` this id, or None: that was all.

    `is_cut`: the piece was at its end before as many were found as had been asked for.
    """

    entries: list[AuditEntry]
    before: UUID | None
    is_cut: bool


def look_back(log: AuditQuerySet, *, wanted: Q, count: int, before: UUID | None = None) -> Found:
    """Find up to `count` entries that are older than `before`. `log` has those of one workspace."""
    rows = log.order_by("-id") if before is None else log.filter(id__lt=before).order_by("-id")
    # Whoever wants all of them finds them at once. For few among many it is said first how far to look.
    edge = rows.values_list("id", flat=True)[PIECE - 1 : PIECE].first() if wanted else None
    if edge:
        rows = rows.filter(id__gte=edge)
    found = list(rows.filter(wanted).select_related("application")[: count + 1])
    if len(found) > count:
        return Found(found[:count], found[count - 1].id, is_cut=False)
    return Found(found, edge, is_cut=edge is not None)


def all_back(log: AuditQuerySet, *, wanted: Q, before: UUID, count: int = 1000) -> Iterator[AuditEntry]:
    """Every entry older than `before`, newest first: so many in memory at a time, and no statement is long.

    Not one cursor over all: it would keep a transaction open for as long as a slow reader takes.
    """
    found = Found([], before, is_cut=True)
    while found.before:
        found = look_back(log, wanted=wanted, count=count, before=found.before)
        yield from found.entries
