"""What the page of a hook tells: where it is called, whom it believes, what it does, and how what came stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from badgerjobs.runs.owner_page import OwnerPage
from badgerjobs.runs.pauses import Pause, pause_of
from webhooks.deliveries.counts import COUNTED, Mark, counts, last_deliveries
from webhooks.deliveries.rows import Row, rows_of
from webhooks.gone_targets import gone_targets
from webhooks.hook_facts import HookFacts
from webhooks.hook_rows import actions_shown
from webhooks.models import Delivery, Hook
from webhooks.performing.planning import actions_of
from webhooks.querysets import DEAD, STATES

_SWITCHES = ("hook.pause", "hook.update", "hook.create")
# How a call stands whose caller waits for a better one, or for what comes of it.
_NOT_YET = (*DEAD, "refused", "waiting")
# So many of the newest deliveries are listed.
DELIVERIES = 10


@dataclass(frozen=True, slots=True)
class ActionLine:
    """One of its actions: its name, what it does and to what, with the address of that, or empty.

    `is_gone`: what it acts upon was deleted.
    """

    name: str
    word: str
    target: str
    address: str
    is_gone: bool = False


class HookPage(OwnerPage):
    """See `OwnerPage`: everything is looked up when it is shown, and once."""

    def __init__(self, hook: Hook, now: datetime) -> None:
        super().__init__(hook.runnable, hook.application, now)
        self.hook = hook
        self.says = HookFacts(hook)

    @property
    def state(self) -> str:
        return "enabled" if self.runnable.enabled else "paused"

    @cached_property
    def pause(self) -> Pause | None:
        """Why it is paused, if it is."""
        return pause_of(self.runnable, self.application, self.hook.tag, _SWITCHES)

    @cached_property
    def marks(self) -> Sequence[Mark]:
        """The last deliveries, oldest first, as a strip draws them."""
        return last_deliveries([self.runnable.pk]).get(self.runnable.pk, [])

    @cached_property
    def first(self) -> Mark | None:
        """The first call that came to something, on a page that waits for it; until then what came last, if any did."""
        return next((mark for mark in self.marks if mark.state not in _NOT_YET), self.marks[-1] if self.marks else None)

    @property
    def is_waiting(self) -> bool:
        """Whether no call has come yet, or none that came to something."""
        return self.first is None or self.first.state in _NOT_YET

    @property
    def first_called(self) -> str:
        """What that call is among those that came."""
        if self.first == self.marks[0]:
            return "The first call has come"
        return "The last call that came" if self.is_waiting else "The first good call has come"

    @property
    def first_row(self) -> Row | None:
        """What its list says of that call; None where it is not among the newest."""
        return next((row for row in self.deliveries if self.first and row.delivery.pk == self.first.id), None)

    @cached_property
    def counted(self) -> Mapping[str, int]:
        """State → how many of the newest deliveries stand so, in the order of STATES."""
        found = counts(self.runnable.pk)
        return {state: found[state] for state in STATES if state in found}

    @property
    def total(self) -> int:
        return sum(self.counted.values())

    @property
    def is_counted_in_part(self) -> bool:
        return self.total >= COUNTED

    @cached_property
    def deliveries(self) -> Sequence[Row]:
        """The newest deliveries with what came of each, the newest first."""
        found = Delivery.objects.for_application(self.application).of(self.hook).defer("body", "headers")
        return rows_of(self.application, found.order_by("-id")[:DELIVERIES])

    @cached_property
    def actions(self) -> list[ActionLine]:
        actions = actions_of(self.hook)
        gone = gone_targets(self.application, actions)
        shown = zip(actions, actions_shown(self.hook), strict=True)
        return [ActionLine(fields["name"], *line, is_gone=(fields["type"], line[1]) in gone) for fields, line in shown]

    @property
    def old_until(self) -> datetime | None:
        """Until when the address before this one leads here too."""
        until = self.hook.previous_until
        return until if until and until > self.now else None

    @property
    def mark(self) -> str:
        """Changes whenever the parts of the page beside its deliveries have something else to say."""
        stands = " ".join(f"{mark.id}:{mark.state}" for mark in self.marks)
        return f"{self.state} {self.runnable.paused_until} {self.old_until} {self.hook.updated_at} {stands}"

    @property
    def poll_s(self) -> int:
        """How often the page looks again, in seconds."""
        return 2
