"""What versions changed, as far as it is known without looking: counted by their load, or when somebody compared them.

Where all rows are replaced a load counts nothing: who compares two versions leaves what was found for the list of them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from badgerjobs.web.remembering import recall, remember
from slurps.collecting.differing import KINDS, SIGNS
from slurps.models import Version

KEPT_S = 30 * 24 * 3600

# A version, and the one that is kept before it; None: there is none.
Pair = tuple[Version, Version | None]
# Kind, its sign, and how many rows.
Changes = list[tuple[str, str, int]]


def note(earlier: Version | None, later: Version, told: Mapping[str, Any]) -> None:
    """Keep how many rows of each kind differ: versions never change. What waits is none, and is kept elsewhere."""
    if earlier is not None and later.number is not None:
        remember({_key(earlier, later): [told[kind]["count"] for kind in KINDS]}, seconds=KEPT_S)


def noted(pairs: Iterable[Pair]) -> dict[int, Changes]:
    """Key of the later version → what it changed, of the pairs that somebody compared."""
    keys = {_key(earlier, later): later.pk for later, earlier in pairs if earlier}
    found = recall(keys)
    return {keys[key]: changes_of(counts) for key, counts in found.items()}


def counted(version: Version) -> Changes:
    """What its load counted."""
    return changes_of([getattr(version, kind) for kind in KINDS])


def changes_of(counts: Iterable[int]) -> Changes:
    """Counts in the order of KINDS."""
    return [(kind, SIGNS[kind], count) for kind, count in zip(KINDS, counts, strict=True)]


def _key(earlier: Version, later: Version) -> str:
    return f"compared-versions:{earlier.pk}:{later.pk}"
