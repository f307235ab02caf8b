"""Which acts a run of a delivery is to do: those of its hook's actions that its transform wants."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tasks.webhook_variables import TOLD, TransformError
from webhooks.actions import MISSING, action_of
from webhooks.models import Hook
from webhooks.models.hook import MOST_BODY_BYTES
from webhooks.transforms.transforming import MOST_ACTS, Returned, Wanted

# What all acts of a delivery are given together, in characters of JSON; and of the body, which each of them may be
# given that asks for it.
MOST_GIVEN = 4_000_000
MOST_BODIES = 4 * MOST_BODY_BYTES


@dataclass(frozen=True, slots=True)
class Planned:
    """An act to be: its action's name, type and target in words, and what it is given, as JSON.

    `takes_body`: beside that it is given the body.
    """

    name: str
    type: str
    target: str
    given: str
    takes_body: bool = False


def actions_of(hook: Hook) -> Sequence[Mapping[str, Any]]:
    """The actions of a hook: a list of {name, type, …}. One that belongs to a task runs that, and does nothing else."""
    if hook.task is not None:
        return [{"name": hook.task.name, "type": "sync", "task": hook.task.tag}]
    actions: Sequence[Mapping[str, Any]] = hook.actions
    return actions


def action_named(hook: Hook, name: str) -> Mapping[str, Any] | None:
    """The one with this name; None where there is none, or none any more. A task's is the same by any name."""
    if hook.task is not None:
        return actions_of(hook)[0]
    return next((action for action in actions_of(hook) if action["name"] == name), None)


def plan(hook: Hook, returned: Returned) -> list[Planned]:
    """The acts, in their order. Raises TransformError for actions that the hook does not have, and for too many."""
    try:
        return _plan(hook, returned.acts)
    except TransformError as error:
        raise TransformError(str(error), returned.console) from None


def _plan(hook: Hook, wanted: Sequence[Wanted]) -> list[Planned]:
    acts = [one for each in wanted for one in _meant(hook, each)]
    if len(acts) > MOST_ACTS:
        raise TransformError(f"{len(acts):,} actions were to be done: {MOST_ACTS} may be at once.")
    shared: dict[int, str] = {}
    plans = [_planned(action, each, shared) for action, each in acts]
    if sum(len(one.given) for one in plans) > MOST_GIVEN:
        raise TransformError(f"What the actions are given is longer than {MOST_GIVEN:,} characters in all.")
    return plans


def _meant(hook: Hook, wanted: Wanted) -> list[tuple[Mapping[str, Any], Wanted]]:
    if wanted.name is None:
        return [(action, wanted) for action in actions_of(hook)]
    if (action := action_named(hook, wanted.name)) is None:
        named = ", ".join(str(one["name"]) for one in actions_of(hook)[:TOLD])
        raise TransformError(f"The webhook has no action “{wanted.name[:99]}”. It has: {named or 'none'}.")
    return [(action, wanted)]


def _planned(action: Mapping[str, Any], wanted: Wanted, shared: dict[int, str]) -> Planned:
    if id(wanted) not in shared:
        value = {} if wanted.value is MISSING else {"value": wanted.value}
        shared[id(wanted)] = json.dumps({"variables": dict(wanted.variables), **value})
    return Planned(
        action["name"],
        action["type"],
        target_of(action),
        shared[id(wanted)],
        _takes_body(action, wanted.value is not MISSING),
    )


def takes_body(hook: Hook) -> bool:
    """Whether any action of a hook may be given the body."""
    return any(_takes_body(action, has_value=False) for action in actions_of(hook))


def _takes_body(action: Mapping[str, Any], has_value: bool) -> bool:
    try:
        asks = action_of(action["type"]).takes_body
    except KeyError:
        return False
    return asks is not None and asks(action, has_value)


def ensure_fits(planned: Sequence[Planned], body: str) -> None:
    """Raises TransformError where the body, as JSON, is too long for being given so often."""
    times = sum(one.takes_body for one in planned)
    if times * len(body) > MOST_BODIES:
        raise TransformError(
            f"The body has {len(body):,} characters, and {times} actions were to be given it: {MOST_BODIES:,} "
            "characters may be given in all."
        )


def target_of(action: Mapping[str, Any]) -> str:
    """What people call what an action acts upon; empty where its type is gone."""
    try:
        return action_of(action["type"]).target(action)[:400]
    except KeyError:
        return ""
