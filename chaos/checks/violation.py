"""Something that must not be, in a sentence."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """`kind` is the word that is counted; it is so `count` times."""

    kind: str
    sentence: str
    count: int = 1
