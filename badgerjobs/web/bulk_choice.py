"""What a list's form says of several rows at once: which are meant, what is to be done, and whether that was asked."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, ClassVar, Self

from django.conf import settings
from django.http import QueryDict

from badgerjobs.lib import vault


@dataclass(frozen=True, slots=True)
class BulkChoice:
    """A verb that there is (empty: none), and what is ticked, or all that match.

    `field` is what the boxes are called, each of which has the name of a row. `asked` is how many the person was told
    of who said yes; `shown`, of all that match, the ids that these were: what matches since then is none of them.
    """

    field: ClassVar[str]
    verbs: ClassVar[Collection[str]]

    verb: str
    names: Sequence[str]
    everything: bool
    asked: int | None
    shown: Sequence[int] | None = None

    @classmethod
    def read(cls, form: QueryDict) -> Self:
        """Take what a form says."""
        verb, asked = form.get("do", ""), form.get("asked", "")
        names = [name for name in form.getlist(cls.field) if "\0" not in name]
        number = int(asked) if asked.isascii() and asked[:9].isdigit() and len(asked) < 9 else None
        shown = cls._opened(form.get("shown", ""))
        return cls(verb if verb in cls.verbs else "", names, "all" in form, number, shown)

    def is_confirmed(self, count: int) -> bool:
        """Whether somebody was asked and said yes: to no fewer than there are by now."""
        is_bound = self.shown is not None or not self.everything  # a yes to nobody knows which is none
        return self.asked is not None and is_bound and count <= self.asked

    def grown(self, count: int) -> str:
        """What is said where there are more by now than the person was told of; empty where there are not."""
        has_grown = self.asked is not None and self.asked < count
        return f"There are {count:,} by now, and not {self.asked:,}." if has_grown else ""

    def hidden(self, ids: Sequence[int]) -> Mapping[str, Sequence[str]]:
        """What the form of the question carries, so that a yes is one to these."""
        which = {"all": ["1"], "shown": [self._sealed(ids)]} if self.everything else {self.field: self.names}
        return {"do": [self.verb], "asked": [str(len(ids))], **which}

    @classmethod
    def _sealed(cls, ids: Sequence[int]) -> str:
        """These ids as a form carries them: encrypted, since they count the rows of all tenants."""
        steps = [after - before for before, after in zip([0, *sorted(ids)], sorted(ids), strict=False)]
        return vault.encrypt(json.dumps({cls.field: steps}, separators=(",", ":")), settings.ENCRYPTION_KEYS)

    @classmethod
    def _opened(cls, sealed: str) -> list[int] | None:
        """The ids that a form carried; None for what is no word of ours, or of another list."""
        try:
            steps: Any = json.loads(vault.decrypt(sealed, settings.ENCRYPTION_KEYS))[cls.field]
        except (vault.CannotDecryptError, ValueError, TypeError, KeyError):
            return None
        return list(accumulate(steps))
