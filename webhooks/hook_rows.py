"""The row of a hook in the lists of pages: what it does, and how its last deliveries stand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from badgerjobs.runs.saying import state_of
from badgerjobs.workspaces.models import Application
from webhooks.actions import action_of
from webhooks.deliveries.counts import Mark, last_deliveries
from webhooks.models import Hook
from webhooks.performing.planning import actions_of

# So many actions are named in a row.
NAMED = 2
# So many characters of a secret are shown, of 43.
SHOWN = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A delivery as `{% strip %}` draws it: all are of one height."""

    state: str
    duration_ms: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A hook and its last deliveries, the newest last."""

    hook: Hook
    marks: Sequence[Mark]

    @property
    def state(self) -> str:
        """`enabled` or `paused`."""
        return state_of(self.hook.runnable)

    @property
    def ending(self) -> str:
        """The end of its address, by which people know it in a list of addresses. What is before it stays secret."""
        return str(self.hook.secret[-SHOWN:])

    @property
    def strip(self) -> list[Bar]:
        return [Bar(mark.state) for mark in self.marks]

    @property
    def last(self) -> Mark | None:
        """The newest delivery."""
        return self.marks[-1] if self.marks else None

    @property
    def does(self) -> list[str]:
        """What is done with what comes: `Sync of refresh-products`, and how many more there are."""
        return does(self.hook)


def does(hook: Hook) -> list[str]:
    """The first of its actions in words, and how many more there are."""
    said = [f"{word}: {target}" if target else word for word, target, _ in actions_shown(hook)]
    more = len(said) - NAMED
    return [*said[:NAMED], f"and {more} more"] if more > 0 else said


def actions_shown(hook: Hook) -> list[tuple[str, str, str]]:
    """Of each action what it does, to what, and the address of the page of that, or empty."""
    return [_shown(hook, fields) for fields in actions_of(hook)]


def _shown(hook: Hook, fields: Mapping[str, Any]) -> tuple[str, str, str]:
    action = action_of(fields["type"])
    return action.word, action.target(fields), action.address(hook.application, fields)


def rows_of(application: Application, hooks: Iterable[Hook]) -> list[Row]:
    """The hooks with what their lists say of their deliveries: one query, however many hooks there are."""
    hooks = list(hooks)
    for hook in hooks:
        hook.application = application
    marks = last_deliveries([hook.runnable_id for hook in hooks]) if hooks else {}
    return [Row(hook, marks.get(hook.runnable_id, [])) for hook in hooks]
