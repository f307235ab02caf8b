"""Where in a row a field is: by the name of a column, or through what is nested, by dots."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from badgerjobs.web.problems import Invalid

MOST_LEVELS = 20


@dataclass(slots=True)
class Values:
    """The parameters of a statement."""

    given: dict[str, Any] = field(default_factory=dict)

    def add(self, value: Any) -> str:
        """A place for this one."""
        name = f"v{len(self.given)}"
        self.given[name] = value
        return f"%({name})s"


def path_of(name: str, columns: set[str], parameter: str) -> list[str]:
    """The steps to a field. A column of this very name goes first; a backslash takes what follows as a letter.

    Raises Invalid.
    """
    if name in columns:
        return [name]
    steps, is_letter = [""], False
    for letter in name:
        if is_letter or letter not in "\\.":
            steps[-1] += letter
            is_letter = False
        elif letter == "\\":
            is_letter = True
        else:
            steps.append("")
    if len(steps) > MOST_LEVELS:
        raise Invalid(**{parameter: f"A field is nested at most {MOST_LEVELS} deep."})
    return steps


def at(path: Sequence[str], values: Values) -> str:
    """What is there, as jsonb; SQL's null where nothing is."""
    if len(path) == 1:
        return f"(r.data -> {values.add(path[0])}::text)"
    return f"(r.data #> {values.add(list(path))}::text[])"


def text_at(path: Sequence[str], values: Values) -> str:
    """The same as text."""
    if len(path) == 1:
        return f"(r.data ->> {values.add(path[0])}::text)"
    return f"(r.data #>> {values.add(list(path))}::text[])"
