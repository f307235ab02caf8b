"""What can be done with hooks: they are made, changed and deleted, paused and resumed, and get another secret."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from badgerjobs.runs import many
from badgerjobs.runs.models import Overlap, Run, Runnable, State
from badgerjobs.runs.owned import set_fields
from badgerjobs.runs.retry_serializer import shown
from badgerjobs.runs.services import add_runnable, delete_runnables
from badgerjobs.web.definitions.configurations import checked
from badgerjobs.web.definitions.keeping import GONE, Facts, alone_with_its_tag, made_or_updated, record
from badgerjobs.web.problems import Conflict, Invalid
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.retry_policy import RETRY_COLUMNS, columns_of
from webhooks import rotation
from webhooks.deliveries.services import hold, release_held
from webhooks.models import KIND, Hook, TransformVersion
from webhooks.performing.planning import actions_of
from webhooks.transforms.versions import change_transform
from webhooks.verification import scheme_of

HOOK_FIELDS = (
    "name", "methods", "rate", "max_bytes", "challenge", "verification", "repeats", "repeats_header",
    "repeats_window_s", "response", "response_status", "response_type", "response_body", "actions",
)  # fmt: skip
SWITCH_FIELDS = ("enabled", "pause_reason", "paused_until")
# What a hook of a task has from that.
OF_ITS_TASK = ("name", "transform", "actions")

TASKS_OWN = "This webhook belongs to the task “{}”: change that."
DELETE_ITS_TASK = "This webhook belongs to the task “{}”: delete that, or give it another type."


def create_hook(*, application: Application, tag: str, by: audit.Actor, now: datetime, **fields: Any) -> Hook:
    """Make a hook, and its address.

    `fields`, checked, are those of HOOK_FIELDS, SWITCH_FIELDS and RETRY_COLUMNS, `settings` and `transform`; the
    settings are checked here, by the verification.

    Raises Conflict when the application has a hook with this tag, ValidationError for settings that are wrong.
    """
    hook = Hook(application=application, tag=tag, name=tag, **rotation.new_secret())
    set_fields(hook, fields, HOOK_FIELDS)
    hook.settings = settings_of(hook, fields.get("settings", {}))
    policy = columns_of(application.policy)
    runnable = Runnable(application=application, kind=KIND, name=tag[:200], overlap=Overlap.ALLOW, **policy)
    set_fields(runnable, fields, (*SWITCH_FIELDS, *RETRY_COLUMNS))
    with alone_with_its_tag("a webhook", hook):
        hook.runnable = add_runnable(runnable, now=now)
        hook.save(force_insert=True)
        change_transform(hook, fields.get("transform", ""), by=by.name, now=now)
        usual = {**_facts(Hook(), Runnable()), "name": tag}
        facts = {name: value for name, value in _facts(hook, runnable).items() if value != usual[name]}
        record(hook, {}, {"name": hook.name, **facts}, action="hook.create", by=by, now=now)
    return hook


def update_hook(*, hook: Hook, by: audit.Actor, now: datetime, **fields: Any) -> Hook:
    """Change what is given and leave the rest. Settings, whose stars keep what is stored, and actions are given whole.

    It holds from the next call, and for what waits already.

    Raises Conflict when somebody else deleted it meanwhile, ValidationError for settings that are wrong, and Invalid
    for what a hook of a task has from that.
    """
    with transaction.atomic():
        runnable = _held(hook)
        _leave_to_its_task(hook, fields)
        facts, verification = _facts(hook, runnable), hook.verification
        set_fields(hook, fields, HOOK_FIELDS)
        if "settings" in fields or hook.verification != verification:
            hook.settings = settings_of(hook, fields.get("settings", {}), verification)
        hook.save()
        change_transform(hook, fields.get("transform", hook.transform), by=by.name, now=now)
        set_fields(runnable, fields, RETRY_COLUMNS)
        runnable.save(update_fields=[*RETRY_COLUMNS, "updated_at"])
        _switch(runnable, fields, now)
        record(hook, facts, _facts(hook, runnable), action="hook.update", by=by, now=now)
    if fields.get("enabled"):
        _release_after_commit(hook, now)
    return hook


def create_or_update_hook(
    *, application: Application, tag: str, by: audit.Actor, now: datetime, **fields: Any
) -> tuple[Hook, bool]:
    """Make the hook, or change the one that is there, as one step. Returns it and whether it was made."""
    fields |= {"by": by, "now": now}
    return made_or_updated(
        Hook.objects.for_application(application).filter(tag=tag),
        "webhook",
        make=lambda: create_hook(application=application, tag=tag, **fields),
        update=lambda found: update_hook(hook=found, **fields),
    )


@transaction.atomic
def delete_hook(*, hook: Hook, by: audit.Actor, now: datetime) -> None:
    """Delete a hook: its address leads nowhere from now on, and what came there goes, by and by.

    Raises Conflict for the hook of a task.
    """
    if hook.task:
        raise Conflict(DELETE_ITS_TASK.format(hook.task.tag))
    facts = _facts(hook, hook.runnable)
    # Whoever saves its transform or an example at this moment is waited for, and that goes too.
    Hook.objects.select_for_update().filter(pk=hook.pk).values_list("pk").first()
    deleted = Hook.objects.filter(pk=hook.pk).delete()[0]
    delete_runnables([hook.runnable_id])
    if deleted:  # of two at once, one did it
        record(hook, facts, dict.fromkeys(facts), action="hook.delete", by=by, now=now)


@transaction.atomic
def pause_hook(*, hook: Hook, by: audit.Actor, now: datetime, reason: str = "", until: datetime | None = None) -> bool:
    """What comes is taken as before, and held; so is what waits. What runs goes on. Returns whether it was on.

    `until` is when it is resumed by itself; None: when somebody does.
    """
    if not _pause(hook.runnable_id, now=now, reason=reason, until=until):
        return False
    before = {"enabled": True, "pause_reason": "", "paused_until": None}
    after = {"enabled": False, "pause_reason": reason, "paused_until": until}
    record(hook, before, after, action="hook.pause", by=by, now=now)
    return True


def resume_hook(*, hook: Hook, by: audit.Actor, now: datetime) -> bool:
    """What was held is acted upon, the oldest first. Returns whether it was off."""
    with transaction.atomic():
        if not many.resume_all([hook.runnable_id], now=now):
            return False
        record(hook, {"enabled": False}, {"enabled": True}, action="hook.resume", by=by, now=now)
    _release_after_commit(hook, now)
    return True


@transaction.atomic
def rotate_hook(*, hook: Hook, by: audit.Actor, now: datetime, overlap_s: int = rotation.OVERLAP_S) -> Hook:
    """Give it another address. The one before leads here for so many seconds more; one before that, no more.

    Raises Conflict when somebody else deleted it meanwhile.
    """
    _held(hook)
    rotation.turn(hook, now=now, overlap_s=overlap_s)
    hook.save(update_fields=["secret", "digest", "previous_digest", "previous_until", "updated_at"])
    changes = {
        "the address before leads here until": [None, hook.previous_until and f"{hook.previous_until:%F %T} UTC"]
    }
    audit.record(
        by=by, action="hook.rotate", subject=hook.tag, now=now, application=hook.application,
        changes=changes if overlap_s else {},
    )  # fmt: skip
    return hook


def restore_transform(*, hook: Hook, number: int, by: audit.Actor, now: datetime) -> Hook:
    """Go back to a version of its transform: it becomes the next one. Raises Conflict where there is none any more."""
    version = TransformVersion.objects.for_application(hook.application).filter(hook=hook, number=number).first()
    if version is None:
        raise Conflict(f"There is no version {number} of this transform any more.")
    return update_hook(hook=hook, by=by, now=now, transform=version.code)


def settings_of(hook: Hook, given: Mapping[str, Any], verification: str = "") -> dict[str, Any]:
    """The settings of its verification, checked, with what is stored in the place of stars. Raises ValidationError.

    `verification` is the one that it had: what is stored for another says nothing of this one.
    """
    scheme = scheme_of(hook.verification)
    stored = hook.settings if hook.pk and verification in {"", hook.verification} else None
    return checked(scheme.serializer, given, scheme.secrets, stored, called="settings")


def _held(hook: Hook) -> Runnable:
    """Read again under lock: of two changes at once, neither may write back what the other replaced."""
    try:
        hook.refresh_from_db(from_queryset=Hook.objects.select_for_update(of=("self",)))
    except Hook.DoesNotExist:
        raise Conflict(GONE.format("webhook")) from None
    hook.runnable = Runnable.objects.select_for_update(no_key=True).get(pk=hook.runnable_id)
    return hook.runnable


def _leave_to_its_task(hook: Hook, fields: dict[str, Any]) -> None:
    """Refuse to change what it has from its task; what it implies is not stored. Raises Invalid."""
    if hook.task is None:
        return
    said = TASKS_OWN.format(hook.task.tag)
    own = {"name": hook.name, "transform": hook.transform, "actions": actions_of(hook)}
    if wrong := [name for name, value in own.items() if fields.get(name, value) != value]:
        raise Invalid(**dict.fromkeys(wrong, said))
    fields.pop("actions", None)


def _switch(runnable: Runnable, fields: Mapping[str, Any], now: datetime) -> None:
    """Switch it on or off, if that is asked for; or say something else of why it is off."""
    wanted = fields.get("enabled", runnable.enabled)
    if wanted and not runnable.enabled:
        many.resume_all([runnable.pk], now=now)
    elif not wanted and runnable.enabled:
        until = fields.get("paused_until")
        _pause(runnable.pk, now=now, reason=fields.get("pause_reason", ""), until=until)
    elif not wanted:
        set_fields(runnable, fields, SWITCH_FIELDS)
        runnable.save(update_fields=["pause_reason", "paused_until"])
    runnable.refresh_from_db()


def _release_after_commit(hook: Hook, now: datetime) -> None:
    """In transactions of its own, whoever began one: it may be much, and its first run need not wait for its last."""
    # Robust: what is not let go now is by the next tick, and the hook is resumed all the same. Django says what failed
    # by a name that a partial has not.
    transaction.on_commit(lambda: release_held([hook.runnable_id], now=now), robust=True)


def _pause(runnable_id: int, *, now: datetime, reason: str, until: datetime | None) -> bool:
    """Switch it off, and hold what waited. Returns whether it was on."""
    if not many.pause_all([runnable_id], now=now, reason=reason, until=until):
        return False
    # Those that this very statement aborted: none that came meanwhile is among them, or left out.
    aborted = Run.objects.filter(runnable_id=runnable_id, state=State.ABORTED, finished_at=now)
    hold(aborted.values_list("pk", flat=True))
    return True


def _facts(hook: Hook, runnable: Runnable) -> Facts:
    """What a person would say that it is, for the audit log: of settings and actions only names are told."""
    facts = {name: getattr(hook, name) for name in (*HOOK_FIELDS, "settings", "transform")}
    actions = ", ".join(f"{action['name']} ({action['type']})" for action in hook.actions)
    switches = {name: getattr(runnable, name) for name in SWITCH_FIELDS}
    return {**facts, "actions": actions, **switches, **shown(runnable)}
