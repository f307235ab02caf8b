"""The six modes of a collection: three ways of writing, each with or without versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from slurps.models import Mode

# What a run's rows do: stand in the place of all others, of those with the same key, or behind them.
Write = Literal["replace", "upsert", "append"]


@dataclass(frozen=True, slots=True)
class Means:
    """What a mode means: how it writes, and whether what was there before stays readable."""

    write: Write
    is_versioned: bool


MODES: Mapping[str, Means] = {
    Mode.NORMAL: Means("replace", is_versioned=False),
    Mode.UPSERTED: Means("upsert", is_versioned=False),
    Mode.ACCUMULATIVE: Means("append", is_versioned=False),
    Mode.VERSIONED: Means("replace", is_versioned=True),
    Mode.UPSERTED_VERSIONED: Means("upsert", is_versioned=True),
    Mode.ACCUMULATIVE_VERSIONED: Means("append", is_versioned=True),
}
