"""What the modes and guards of a collection mean, in a sentence each."""

from collections.abc import Mapping
from typing import Any

from slurps.models import Mode

MEANS: Mapping[str, str] = {
    Mode.NORMAL: "Each run replaces all rows. Readers see the last run's, and nothing else is kept.",
    Mode.UPSERTED: "Each run adds rows with a new key and replaces those whose key is there. No row goes.",
    Mode.ACCUMULATIVE: "Each run adds its rows behind all that are there. No row goes.",
    Mode.VERSIONED: "Each run replaces all rows, and the versions before stay readable: compared, pinned, rolled back.",
    Mode.UPSERTED_VERSIONED: "Rows are merged by their key, and how they were before stays readable as versions.",
    Mode.ACCUMULATIVE_VERSIONED: "Rows are added behind all that are there, and each run leaves a version to go back "
    "to.",
}

COLUMNS: Mapping[str, str] = {
    "evolve": "take them as they come",
    "freeze": "hold the result",
    "discard": "leave their values out, and hold a result that lacks some",
}


def guards_in_words(guards: Mapping[str, Any]) -> list[str]:
    """Those that are on, each in half a sentence: `a result without rows is held`."""
    said = []
    if guards.get("empty"):
        said.append("a result without rows is held")
    if guards.get("smaller_percent") is not None:
        said.append(f"a result that is more than {guards['smaller_percent']:g} % smaller is held")
    if guards.get("columns") in {"freeze", "discard"}:
        said.append(f"where columns change: {COLUMNS[guards['columns']]}")
    if guards.get("repeated_keys"):
        said.append("a result in which a key comes twice is held")
    return said
