"""What goes with which language of a slurper: the rest is empty in its row."""

from collections.abc import Mapping
from typing import Any

from slurps.models import Language

# What the code of each sees.
SEEN: Mapping[str, tuple[str, ...]] = {
    Language.JAVASCRIPT: ("ctx", "dataMap"),
    Language.JAVASCRIPT_BATCHES: ("ctx", "rows", "source"),
}


def emptied(language: str) -> dict[str, Any]:
    """The columns that a slurper in this language has no use for, with what stands there then."""
    columns: dict[str, Any] = {}
    if language not in SEEN:
        columns["code"] = ""
    if language != Language.PYTHON:
        columns["function"] = ""
    return columns
