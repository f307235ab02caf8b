"""What a hook's transform was: each that was saved is kept, and can be gone back to."""

from datetime import datetime

from webhooks.models import Hook, TransformVersion

# The oldest go when there are more.
MOST_VERSIONS = 200


def change_transform(hook: Hook, code: str, *, by: str, now: datetime) -> None:
    """Save another transform of this hook, whose row is locked or new, as its next version. The same makes none.

    `by` is who did it, as the audit log says it. Nothing but blanks is kept as nothing: acceptance asks no more than
    whether there is one.
    """
    code = code if code.strip() else ""
    if code == hook.transform:
        return
    hook.transform, hook.transform_version = code, hook.transform_version + 1
    hook.save(update_fields=["transform", "transform_version", "updated_at"])
    TransformVersion.objects.create(hook=hook, number=hook.transform_version, code=code, made_by=by[:300], made_at=now)
    hook.versions.filter(number__lte=hook.transform_version - MOST_VERSIONS).delete()
