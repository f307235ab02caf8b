"""Which hooks a list shows: as it stands in the address, so that a view is a link."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from badgerjobs.web.definitions.filters import Field, SaidFilters, words
from webhooks.models import Verification

STATES = {"enabled": Q(runnable__enabled=True), "paused": Q(runnable__enabled=False)}
SCHEMES = {value: str(label) for value, label in Verification.choices}


@dataclass(frozen=True, slots=True)
class HookFilters(SaidFilters):
    """Words in the name or the tag; how callers prove who they are; and enabled or paused. Empty: not set."""

    q: str = ""
    verification: str = ""
    state: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "HookFilters":
        """Take what the address says. What it says wrongly counts as not said: a stale link still shows something."""
        scheme, state = given.get("verification", ""), given.get("state", "")
        return cls(words(given, "q"), scheme if scheme in SCHEMES else "", state if state in STATES else "")

    def narrow(self, hooks: Any) -> Any:
        """Only the hooks that match."""
        found = hooks.search(self.q) if self.q else hooks
        found = found.filter(verification=self.verification) if self.verification else found
        return found.filter(STATES[self.state]) if self.state else found

    def said(self) -> Iterator[tuple[str, str, str]]:
        """Each filter, set or not: its name in the address, what it is called, and what it says to people."""
        yield "q", "search", self.q
        yield "verification", "verification", SCHEMES.get(self.verification, "")
        yield "state", "state", self.state

    def fields(self) -> list[Field]:
        """The choices of the form, and which of each is chosen."""
        return [
            Field("verification", "verification", "Any verification", list(SCHEMES.items()), self.verification),
            Field("state", "state", "Any state", [(one, one) for one in STATES], self.state),
        ]
