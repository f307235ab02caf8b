"""Choosing keys one by one, among any number: what was chosen is told as what differs from what is stored."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from badgerjobs.lib.storable import UNSTORABLE
from badgerjobs.workspaces.models import Application
from tasks.models import CacheKey, Selection, Task, TaskKey
from tasks.selection import names

# So many are found at once, and so many of those that are chosen are listed.
FOUND, LISTED = 20, 50
# So many may be added with one press, and so many in all before the task is saved.
TOGETHER, MOST = 1000, 10_000
TOO_MANY = f"More than {MOST:,} keys cannot be chosen at once: save the task, then go on; or give it a pattern."
TOO_MANY_FOUND = "These are more than {:,}: choose a pattern instead, or search for fewer."


@dataclass(frozen=True, slots=True)
class Difference:
    """What was added to the stored keys, and what was taken away; `cleared`: all of them, but for what was added."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    cleared: bool = False

    @classmethod
    def read(cls, text: str) -> "Difference":
        """As a hidden field carries it. Nobody types it: what cannot be read says nothing."""
        try:
            told = json.loads(text or "{}")
            lists = [told.get(name, []) for name in ("added", "removed")]
        except (ValueError, RecursionError, AttributeError):
            return cls()
        if not all(isinstance(one, list) and all(isinstance(name, str) for name in one) for one in lists):
            return cls()
        added, removed = (tuple(dict.fromkeys(filter(_may_be, one))) for one in lists)
        return cls(added, removed, told.get("cleared") is True)

    def written(self) -> str:
        """The same for the hidden field."""
        told = {"added": self.added, "removed": self.removed, "cleared": self.cleared}
        return json.dumps({name: value for name, value in told.items() if value}, ensure_ascii=False)

    def plus(self, more: Sequence[str]) -> "Difference":
        """With these."""
        named = tuple(filter(_may_be, more))
        back = set(named)
        removed = tuple(name for name in self.removed if name not in back)
        return replace(self, added=tuple(dict.fromkeys((*self.added, *named))), removed=removed)

    def minus(self, name: str) -> "Difference":
        """Without this one."""
        added = tuple(one for one in self.added if one != name)
        removed = (*self.removed, name) if _may_be(name) else self.removed
        return replace(self, added=added, removed=tuple(dict.fromkeys(removed)))


def _may_be(name: str) -> bool:
    """Whether a key can have this name: the database is not asked for any other."""
    return not UNSTORABLE.search(name)


@dataclass(slots=True)
class Found:
    """A key that the search found, and whether it is chosen."""

    name: str
    is_chosen: bool


@dataclass
class Picked:
    """The keys of a form: those of the `task` that is changed, if there is one, and what differs from them."""

    application: Application
    task: Task | None
    difference: Difference = field(default_factory=Difference)
    find: str = ""
    refused: str = ""

    @classmethod
    def read(cls, application: Application, task: Task | None, given: Mapping[str, str]) -> "Picked":
        """What the form says."""
        find = given.get("find", "").replace("\0", "").strip()[:400]
        return cls(application, task, Difference.read(given.get("picked", "")), find)

    def do(self, verb: str) -> bool:
        """What a button says: `add-key:NAME`, `remove-key:NAME`, `add-found`, `remove-keys`, `find`. Whether it did."""
        what, _, name = verb.partition(":")
        if what == "add-key":
            self._add([name])
        elif what == "remove-key":
            self.difference = self.difference.minus(name)
        elif what == "remove-keys":
            self.difference = Difference(cleared=True)
        elif what == "add-found":
            self._add_found()
        return what in {"add-key", "remove-key", "remove-keys", "add-found", "find"}

    def _add_found(self) -> None:
        found, total = names(self.application, Selection.CONTAINS, self.find, most=TOGETHER)
        if total > TOGETHER:
            self.refused = TOO_MANY_FOUND.format(TOGETHER)
        else:
            self._add(found)

    def _add(self, more: Sequence[str]) -> None:
        with_them = self.difference.plus(more)
        if len(with_them.added) > MOST:
            self.refused = TOO_MANY
        else:
            self.difference = with_them

    @cached_property
    def _search(self) -> tuple[list[str], int]:
        found, total = names(self.application, Selection.CONTAINS, self.find, most=FOUND)
        return list(found), int(total)

    @property
    def total(self) -> int:
        """How many keys the search found."""
        return self._search[1]

    @cached_property
    def found(self) -> list[Found]:
        """The first of them."""
        found = self._search[0]
        chosen = set(self.difference.added) | (self._stored_among(found) - set(self.difference.removed))
        return [Found(name, name in chosen) for name in found]

    @property
    def together(self) -> int:
        """How many may be added with one press; 0 where it is one, or too many."""
        return self.total if 1 < self.total <= TOGETHER else 0

    @cached_property
    def count(self) -> int:
        """How many are chosen."""
        added, removed = set(self.difference.added), set(self.difference.removed)
        stored = 0 if self._stored is None else TaskKey.objects.filter(task=self.task).count()
        moved = self._stored_among([*added, *removed])
        return stored - len(moved & removed) + len(added - moved)

    @cached_property
    def listed(self) -> list[str]:
        """The first of those that are chosen, by name."""
        stored = [] if self._stored is None else self._stored.exclude(name__in=self.difference.removed)[: LISTED + 1]
        return sorted({*stored, *self.difference.added})[:LISTED]

    @property
    def has_keys(self) -> bool:
        """Whether there is any key to choose."""
        return CacheKey.objects.for_application(self.application).exists()

    def all_names(self) -> list[str]:
        """All that are chosen."""
        stored = set() if self._stored is None else set(self._stored) - set(self.difference.removed)
        return sorted(stored | set(self.difference.added))

    @property
    def _stored(self) -> Any:
        if self.task is None or self.difference.cleared:
            return None
        keys = self.task.keys.for_application(self.application)
        return keys.order_by("name").values_list("name", flat=True)

    def _stored_among(self, some: Sequence[str]) -> set[str]:
        return set() if self._stored is None or not some else set(self._stored.filter(name__in=some))
