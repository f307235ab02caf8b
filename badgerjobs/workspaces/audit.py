"""Who does something, and the log that remembers it. An entry is written in the transaction of what it tells of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from badgerjobs.lib import vault
from badgerjobs.workspaces.models import Application, AuditEntry, Token, User, Via, Workspace

# Every action that there is, `thing.verb`, and how it reads behind the name of who did it.
ACTIONS = {
    "workspace.create": "created the workspace",
    "workspace.rename": "renamed the workspace",
    "member.invite": "invited",
    "member.withdraw": "withdrew the invitation of",
    "member.join": "joined the workspace",
    "member.add": "added the member",
    "member.role": "changed the role of",
    "member.remove": "removed the member",
    "member.leave": "left the workspace",
    "application.create": "created the application",
    "application.rename": "renamed the application",
    "application.change": "changed the settings of",
    "application.delete": "deleted the application",
    "key.rotate": "rotated the signing key of",
    "key.end": "ended the previous signing key of",
    "token.create": "created the token",
    "token.rotate": "rotated the token",
    "token.revoke": "revoked the token",
    "job.create": "created the job",
    "job.update": "changed the job",
    "job.delete": "deleted the job",
    "job.pause": "paused the job",
    "job.resume": "resumed the job",
    "job.cancel": "cancelled the job",
    "job.run": "ran the job",
    "job.backfill": "ran past occurrences of the job",
    "job.test": "made a test call for the job",
    "event.create": "created the event",
    "event.update": "changed the event",
    "event.delete": "deleted the event",
    "event.test": "tried out the event",
    "connection.create": "created the connection",
    "connection.update": "changed the connection",
    "connection.delete": "deleted the connection",
    "source.create": "created the source",
    "source.update": "changed the source",
    "source.delete": "deleted the source",
    "source.upload": "uploaded a file for the source",
    "source.test": "tried out the source",
    "cachekey.create": "created the cache key",
    "cachekey.update": "changed the cache key",
    "cachekey.delete": "deleted the cache key",
    "cachekey.sync": "had fetched anew",
    "cachekey.upsert": "created and changed at once",
    "cachekey.delete_many": "deleted at once",
    "task.create": "created the task",
    "task.update": "changed the task",
    "task.delete": "deleted the task",
    "task.pause": "paused the task",
    "task.resume": "resumed the task",
    "task.run": "ran the task",
    "task.retry": "had failed keys fetched again of",
    "task.rotate": "gave another webhook address to the task",
    "background.trigger": "triggered the background task",
    "background.abort": "aborted the background task",
    "background.delete": "deleted the background task",
    "collection.create": "created the collection",
    "collection.update": "changed the collection",
    "collection.delete": "deleted the collection",
    "collection.activate": "activated the collection",
    "collection.deactivate": "deactivated the collection",
    "collection.approve": "approved the result that waited in the collection",
    "collection.drop": "dropped the result that waited in the collection",
    "collection.roll_back": "rolled back the collection",
    "collection.pin": "pinned a version of the collection",
    "collection.unpin": "unpinned a version of the collection",
    "hook.create": "created the webhook",
    "hook.update": "changed the webhook",
    "hook.delete": "deleted the webhook",
    "hook.pause": "paused the webhook",
    "hook.resume": "resumed the webhook",
    "hook.rotate": "gave another address to the webhook",
    "hook.example": "changed the examples of the webhook",
    "delivery.replay": "acted again upon",
    "delivery.verify": "verified once more",
    "slurper.create": "created the slurper",
    "slurper.update": "changed the slurper",
    "slurper.delete": "deleted the slurper",
    "slurper.test": "tried out the slurper",
    "asyncjob.create": "created the async job",
    "asyncjob.update": "changed the async job",
    "asyncjob.delete": "deleted the async job",
    "asyncjob.pause": "paused the async job",
    "asyncjob.resume": "resumed the async job",
    "asyncjob.run": "ran the async job",
    "asyncjob.forget": "let everything be pulled anew by the async job",
    "notices.change": "changed who is told of trouble in",
    "notices.test": "sent a test notice from",
    "run.abort": "aborted",
    "run.replay": "replayed",
    "account.password": "chose a new password",
    "account.factor_on": "turned on the second factor",
    "account.factor_off": "turned off the second factor",
    "account.factor_forgotten": "turned off the second factor of",
    "account.passkey_added": "added a passkey",
    "account.passkey_removed": "removed a passkey",
    "audit.export": "exported the audit log as",
}


class UnknownActionError(ValueError):
    """An action that the table does not have: nobody could read what it means."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks for something, which way, and from which address. `token`: the id of the token that came with it."""

    name: str
    via: Via
    user: User | None = None
    address: str = ""
    token: str = ""


# Whoever has a shell on the machine.
OPERATOR = Actor("operator", Via.COMMAND)


def person(user: User, address: str) -> Actor:
    """Somebody who is signed in to the panel."""
    return Actor(user.email, Via.PANEL, user, address)


def holder(token: Token, address: str) -> Actor:
    """Whoever holds a token."""
    return Actor(str(token), Via.API, None, address, token.slug)


def record(  # noqa: PLR0913  what, who, where and when are what a log is
    *,
    by: Actor,
    action: str,
    subject: str,
    now: datetime,
    workspace: Workspace | None = None,
    application: Application | None = None,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Write down what was done. `action` is one of ACTIONS; `changes` is field → [before, after], or → [None, names].

    Where is either a workspace, or an application, which is in one. Raises UnknownActionError, and TypeError for
    neither.
    """
    record_all(
        by=by, action=action, entries={subject: changes or {}}, now=now, workspace=workspace, application=application
    )


def record_all(  # noqa: PLR0913
    *,
    by: Actor,
    action: str,
    entries: Mapping[str, Mapping[str, Any]],
    now: datetime,
    workspace: Workspace | None = None,
    application: Application | None = None,
) -> None:
    """The same for many subjects at once, each with its changes: an entry for each, in one statement.

    Raises UnknownActionError.
    """
    if action not in ACTIONS:
        raise UnknownActionError(f"{action!r} is not among the actions of the audit log: see ACTIONS.")
    workspace_id = _workspace_id(workspace, application)
    AuditEntry.objects.bulk_create(
        AuditEntry(
            workspace_id=workspace_id,
            application=application,
            application_name=application.name if application else "",
            user=by.user,
            actor=by.name[:300],
            via=by.via,
            address=by.address[:45],
            action=action,
            subject=subject[:300],
            changes=dict(changes),
            created_at=now,
        )
        for subject, changes in entries.items()
    )


def _workspace_id(workspace: Workspace | None, application: Application | None) -> int:
    if application:
        return application.workspace_id
    if workspace:
        return workspace.pk
    raise TypeError("An entry belongs to a workspace, or to an application, which is in one.")


def record_everywhere(*, by: Actor, action: str, person: User, now: datetime) -> None:
    """Write down what was done with somebody's account, in each workspace that they are a member of.

    Raises UnknownActionError.
    """
    for workspace in Workspace.objects.for_user(person):
        record(by=by, action=action, subject=person.email, now=now, workspace=workspace)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Field → [before, after] for each field of `after` that differs, ready for JSON; headers by name only."""
    return {
        name: pair(before.get(name), value)
        for name, value in after.items()
        if before.get(name, _NOTHING) != value and not (_is_blank(before.get(name)) and _is_blank(value))
    }


def pair(before: Any, after: Any) -> list[Any]:
    """One value before and after, ready for JSON; of headers the names of those that differ, with stars for values."""
    if isinstance(before, dict) or isinstance(after, dict):
        return _named(before or {}, after or {})
    return [_shown(before), _shown(after)]


# Longer values, bodies for one, are told by their beginning.
LONGEST = 500

_NOTHING = object()


def _is_blank(value: Any) -> bool:
    return value in (None, "", {}, [])


def _named(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Any]:
    """Only what differs, and stars for all values: they are encrypted where they come from."""
    changed = [name for name in {**before, **after} if before.get(name, _NOTHING) != after.get(name, _NOTHING)]
    return [{name: vault.MASK for name in changed if name in side} for side in (before, after)]


def _shown(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return ", ".join(str(_shown(item)) for item in value)[:LONGEST]
    text = f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if isinstance(value, datetime) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
