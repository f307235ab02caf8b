"""Which deliveries a list shows: as it stands in the address, so that a view is a link."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from badgerjobs.runs.models import Run
from badgerjobs.web.definitions.filters import Field, SaidFilters, words
from badgerjobs.web.typed import moment_of
from badgerjobs.workspaces.models import Application
from webhooks.models import Hook
from webhooks.querysets import DEAD, STATES, DeliveryQuerySet

DEAD_LETTERS = "dead"
# What the choice of states says, in the order of what people look for.
CHOICES = {
    DEAD_LETTERS: "dead letters",
    "waiting": "waiting or running",
    **{state: state for state in STATES if state != "waiting"},
}


@dataclass(frozen=True, slots=True)
class DeliveryFilters(SaidFilters):
    """The id of a delivery, or that of its event; states; the tag of a hook; and a span of time. Empty: not set.

    Times are the reader's, unless they name a zone. `unread` are the names of those that the address says wrongly.
    """

    q: str = ""
    state: str = ""
    hook: str = ""
    since: str = ""
    until: str = ""
    unread: tuple[str, ...] = ()

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "DeliveryFilters":
        """Take what the address says. What it says wrongly narrows nothing, and is told."""
        state, times = _state(given.get("state", "")), {name: words(given, name) for name in ("since", "until")}
        unread = [name for name, text in times.items() if text and moment_of(text) is None]
        unread += ["state"] if state is None else []
        kept = {name: "" if name in unread else text for name, text in times.items()}
        return cls(words(given, "q"), state or "", words(given, "hook"), unread=tuple(unread), **kept)

    @property
    def order(self) -> str:
        """By their ids, which are in the order of time."""
        return "-pk"

    @property
    def states(self) -> tuple[str, ...]:
        """Those of STATES that are asked for; none means all."""
        if self.state == DEAD_LETTERS:
            return DEAD
        return tuple(self.state.split(",")) if self.state else ()

    def narrow(self, deliveries: DeliveryQuerySet, application: Application) -> DeliveryQuerySet:
        """Only the deliveries that match."""
        found, runs = deliveries, Run.objects.for_application(application)
        if self.hook:
            ids = Hook.objects.for_application(application).filter(tag=self.hook).values_list("runnable_id", flat=True)
            found, runs = found.filter(runnable_id__in=list(ids)), runs.filter(runnable_id__in=list(ids))
        if self.states:
            found = found.in_states(self.states, runs)
        found = found.received(since=moment_of(self.since), until=moment_of(self.until))
        return _named(self.q, found) if self.q else found

    def said(self) -> Iterator[tuple[str, str, str]]:
        """Each filter, set or not: its name in the address, what it is called, and what it says to people."""
        yield "q", "id", self.q
        yield "state", "state", self._state_said
        yield "hook", "webhook", self.hook
        for name, called in (("since", "from"), ("until", "to")):
            moment = moment_of(getattr(self, name))
            yield name, called, f"{timezone.localtime(moment):%Y-%m-%d %H:%M}" if moment else ""

    def fields(self, hooks: Mapping[str, str]) -> list[Field]:
        """The choices of the form, and which of each is chosen. `hooks`: tag → name."""
        return [
            Field("state", "state", "Any state", self._choices, self.state),
            Field("hook", "webhook", "Any webhook", list(hooks.items()), self.hook),
        ]

    @property
    def _state_said(self) -> str:
        return CHOICES.get(self.state) or ", ".join(CHOICES[one] for one in self.states)

    @property
    def _choices(self) -> list[tuple[str, str]]:
        """The states, and several at once where the address names them."""
        several = [(self.state, self._state_said)] if self.state and self.state not in CHOICES else []
        return [*CHOICES.items(), *several]

    def hidden(self) -> list[tuple[str, str]]:
        """The same filters as a form carries them on."""
        return [(name, getattr(self, name)) for name, _, said in self.said() if said]


def _state(said: str) -> str | None:
    """A choice; or several states with commas between, as REST has them. None: it says something else."""
    if not said or said in CHOICES:
        return said
    named = {one.strip() for one in said.split(",")} - {""}
    if not named or not named <= set(STATES):
        return None
    return DEAD_LETTERS if named == set(DEAD) else ",".join(state for state in STATES if state in named)


def _named(text: str, deliveries: DeliveryQuerySet) -> DeliveryQuerySet:
    """Those that are called so, by us or by their provider."""
    try:
        return deliveries.filter(pk=UUID(text))
    except ValueError:
        return deliveries.of_event(text)
