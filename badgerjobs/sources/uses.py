"""What uses sources, as their pages show it: a literal table, because it stands above."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.utils.module_loading import import_string

from badgerjobs.sources.models import DataSource
from badgerjobs.workspaces.models import Application

USES: Mapping[str, str] = {
    "keys": "tasks.keys.of_sources.KEYS",
    "slurpers": "slurps.of_sources.SLURPERS",
}


@dataclass(frozen=True, slots=True)
class Use:
    """`of` gives what `template` shows as `use`, of a source and for now; `last`: source id → when it was used last.

    Both look at a bounded number of rows, whatever there is.
    """

    of: Callable[[DataSource, datetime], Any]
    last: Callable[[Application, Sequence[DataSource]], Mapping[int, datetime]]
    template: str


@cache
def use_of(name: str) -> Use:
    """The use with this name. Raises KeyError for an unknown one, ImportError for a row that leads nowhere."""
    found = import_string(USES[name])
    if not isinstance(found, Use):
        raise ImportError(f"{USES[name]} is not a Use.")  # noqa: TRY004  the row is wrong, not a value
    return found


def uses() -> list[Use]:
    """All there are."""
    return [use_of(name) for name in USES]


def last_used(application: Application, sources: Sequence[DataSource]) -> Mapping[int, datetime]:
    """Source id → when it was last asked for anything, as far as that is still known."""
    found: dict[int, datetime] = {}
    for use in uses():
        for source_id, moment in use.last(application, sources).items():
            found[source_id] = max(moment, found.get(source_id, moment))
    return found
