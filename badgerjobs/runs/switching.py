"""Switching what has a runnable off and on, by a person: said in the audit log, once."""

from datetime import datetime
from typing import Any

from django.db import transaction

from badgerjobs.runs import many
from badgerjobs.workspaces import audit


@transaction.atomic
def pause_owner(  # noqa: PLR0913  a pause, and whose
    owner: Any, *, action: str, by: audit.Actor, now: datetime, reason: str = "", until: datetime | None = None
) -> bool:
    """Switch it off: its schedule does not run it, and what waits is aborted. What runs goes on.

    `until` is when it is resumed by itself; None: when somebody does. Returns whether it was on.
    """
    if not many.pause_all([owner.runnable_id], now=now, reason=reason, until=until):
        return False
    before = {"enabled": True, "pause_reason": "", "paused_until": None}
    changes = audit.difference(before, {"enabled": False, "pause_reason": reason, "paused_until": until})
    audit.record(subject=owner.tag, application=owner.application, action=action, by=by, now=now, changes=changes)
    return True


@transaction.atomic
def resume_owner(owner: Any, *, action: str, by: audit.Actor, now: datetime) -> bool:
    """Switch it on: its schedule keeps its rhythm. Returns whether it was off."""
    if not many.resume_all([owner.runnable_id], now=now):
        return False
    changes = {"enabled": [False, True]}
    audit.record(subject=owner.tag, application=owner.application, action=action, by=by, now=now, changes=changes)
    return True
