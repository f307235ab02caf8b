"""Which keys a pattern means, before a task with it is saved: the names, how many, and what may surprise."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from badgerjobs.lib.storable import UNSTORABLE
from badgerjobs.workspaces.models import Application
from tasks.models import Selection
from tasks.selection import PATTERNS, names
from tasks.variable_fields import VariableField, fields_for
from tasks.webhook_variables import filled_pattern, names_in

NOT_CHOSEN = "Choose first how a pattern matches."
NO_PATTERN = "There is no pattern yet: type one."
IN_NO_NAME = "No name has null characters: take them out of the pattern."
MISSING = "Give a value for {}: it stands for what the webhook will bring."
ALSO = (
    "“{pattern}” also takes “{name}”. Where that is not meant, let names go on with a mark after the number, "
    "and the pattern end with it: “{pattern}-”."
)


@dataclass(frozen=True)
class PatternMatches:
    """A pattern, how it matches, and values for its placeholders."""

    application: Application
    selection: str
    pattern: str
    values: Mapping[str, str]

    @cached_property
    def variables(self) -> Sequence[str]:
        """The names of its placeholders; none where it is no template."""
        try:
            return names_in(self.pattern)
        except ValueError:
            return []

    @property
    def fields(self) -> list[VariableField]:
        """A field for each."""
        return fields_for(self.variables, self.values)

    @cached_property
    def refused(self) -> str:
        """Why there is nothing to look up; empty where there is."""
        if self.selection not in PATTERNS:
            return NOT_CHOSEN
        if not self.pattern:
            return NO_PATTERN
        if UNSTORABLE.search(self.pattern):
            return IN_NO_NAME
        if missing := [name for name in self.variables if not self.values.get(name)]:
            return MISSING.format(_and(missing))
        try:
            filled_pattern(self.pattern, self.values, self.selection)
        except ValueError as error:
            return str(error)
        return ""

    @cached_property
    def filled(self) -> str:
        """The pattern as it is matched. For a trial that is not refused."""
        return filled_pattern(self.pattern, self.values, self.selection)

    @cached_property
    def _found(self) -> tuple[list[str], int]:
        found, total = names(self.application, self.selection, self.filled)
        return list(found), int(total)

    @property
    def names(self) -> list[str]:
        """The first thousand, by name."""
        return self._found[0]

    @property
    def total(self) -> int:
        return self._found[1]

    @property
    def as_json(self) -> str:
        """The same as a JSON array."""
        return json.dumps(self.names, ensure_ascii=False, indent=1)

    @property
    def warning(self) -> str:
        """Where the pattern ends in a digit and a digit follows it in a name: 1 takes 11 too."""
        if self.selection not in {Selection.CONTAINS, Selection.PREFIX} or not self.filled[-1:].isdigit():
            return ""
        also = next((name for name in self.names if goes_on(self.filled, name)), "")
        return ALSO.format(pattern=self.filled, name=also) if also else ""


def goes_on(pattern: str, name: str) -> bool:
    """Whether a digit follows the pattern somewhere in the name."""
    places = (name.find(pattern, start) for start in range(len(name)))
    return any(name[at + len(pattern) : at + len(pattern) + 1].isdigit() for at in places if at >= 0)


def _and(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
