"""What people call each kind of run: a literal table beside `runs/kinds.py`, kind → words and where they are listed."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Named:
    """`many` is the word for several; `list` names the page of what has such runs."""

    many: str
    list: str


KINDS: Mapping[str, Named] = {
    "http": Named("HTTP jobs", "jobs:list"),
}
