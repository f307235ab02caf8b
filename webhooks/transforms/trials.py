"""Trying a hook's transform out: what it makes of something that came or might come. Nothing is done."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from badgerjobs.lib.javascript import Line
from tasks.trials import room_for_one
from webhooks.models import Hook
from webhooks.performing.planning import Planned, plan
from webhooks.transforms.transforming import Returned, TransformError, try_transform


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it: what it `returned`, and what would be done then; or the `error`."""

    returned: Returned | None
    planned: Sequence[Planned] = ()
    console: tuple[Line, ...] = ()
    error: str | None = None

    @property
    def ok(self) -> bool:
        return self.error is None

    @property
    def variables(self) -> Mapping[str, str] | None:
        return self.returned.variables if self.returned else None

    @property
    def filtered(self) -> str | None:
        return self.returned.filtered if self.returned else None

    @property
    def acts(self) -> list[dict[str, Any]]:
        """The acts: {name, type, target, variables}, and the `value` where there is one."""
        return [
            {"name": one.name, "type": one.type, "target": one.target, **json.loads(one.given)} for one in self.planned
        ]


def try_hook(hook: Hook, *, code: str, headers: Mapping[str, str], raw: bytes) -> Tried:
    """What a transform makes of a call, and which of the hook's actions would be done. Raises TooManyTrialsError."""
    with room_for_one(hook.application):
        return tried(hook, code=code, headers=headers, raw=raw)


def tried(hook: Hook, *, code: str, headers: Mapping[str, str], raw: bytes) -> Tried:
    """The same for who has room already. Raises NoRoomError."""
    application = hook.application
    try:
        returned = try_transform(code, headers, raw, application.workspace_id, application.pk)
        planned = plan(hook, returned)  # which knows whether the hook has the actions that were asked for
    except TransformError as error:
        return Tried(None, console=error.console, error=str(error))
    return Tried(returned, planned, returned.console)
