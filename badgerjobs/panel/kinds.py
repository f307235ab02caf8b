"""What people call each kind of run: a literal table beside `runs/kinds.py`, kind → words and where they are listed."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Named:
    """`many` is the word for several; `list` names the page of what has such runs.

    One that is shown only `if_any` are there is not missed elsewhere.
    """

    many: str
    list: str
    if_any: bool = False


KINDS: Mapping[str, Named] = {
    "http": Named("HTTP jobs", "jobs:list"),
    "event": Named("event jobs", "jobs:list", if_any=True),
    "sync": Named("task syncs", "tasks:list", if_any=True),
    "refresh": Named("refreshes of keys", "tasks:keys", if_any=True),
    "notice": Named("notices", "notices:incidents", if_any=True),
}
