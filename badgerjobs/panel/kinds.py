"""What people call each kind of run: a literal table beside `runs/kinds.py`, kind → words and where they are listed."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Named:
    """`many` is the word for several; `list` names the page of what has such runs.

    One of the engine's own is shown where there are any, and else not missed.
    """

    many: str
    list: str
    is_own: bool = False


KINDS: Mapping[str, Named] = {
    "http": Named("HTTP jobs", "jobs:list"),
    "event": Named("event jobs", "jobs:list"),
    "notice": Named("notices", "notices:incidents", is_own=True),
}
