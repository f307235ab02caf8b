"""The hooks of webhook tasks: what tasks ask for by `tasks/hooks.py`. Such a hook runs its task, by its transform."""

from datetime import datetime

from django.http import HttpRequest

from badgerjobs.runs.models import Overlap, Runnable
from badgerjobs.runs.services import add_runnable, delete_runnables
from badgerjobs.workspaces.retry_policy import columns_of
from tasks.models import Task
from webhooks import rotation
from webhooks.models import KIND, Hook
from webhooks.models.hook import OF_TASK
from webhooks.transforms.versions import change_transform


def fit_task_hook(task: Task, *, by: str, now: datetime) -> Hook:
    """Give a task its hook, unless it has one, and let that be called as the task is and have its transform.

    `by` is who asked for it, as the audit log says it.
    """
    hook = Hook.objects.select_for_update().filter(task=task).first() or _make(task, now)
    if hook.name != task.name:
        hook.name = task.name
        hook.save(update_fields=["name", "updated_at"])
    change_transform(hook, task.transform, by=by, now=now)
    return hook


def end_task_hook(task: Task) -> None:
    """Take its hook from a task, if it has one: its address leads nowhere from now on, and what came there goes."""
    found = Hook.objects.select_for_update().filter(task=task).first()
    if found:
        Hook.objects.filter(pk=found.pk).delete()
        delete_runnables([found.runnable_id])


def runnables_of_task(task: Task) -> list[int]:
    """What has to be deleted with a task, which takes its hook along.

    The hook is locked: whoever saves an example of it at this moment is waited for, and that goes too.
    """
    return list(Hook.objects.select_for_update().filter(task=task).values_list("runnable_id", flat=True))


def rotate_task_hook(task: Task, *, now: datetime, overlap_s: int = 0) -> Hook:
    """Give a task another address. The one before leads here for so many seconds more; one before that, no more."""
    hook = Hook.objects.select_for_update().filter(task=task).first() or _make(task, now)
    rotation.turn(hook, now=now, overlap_s=overlap_s)
    hook.save(update_fields=["secret", "digest", "previous_digest", "previous_until", "updated_at"])
    task.hook = hook  # which it remembers from now on
    return hook


def address_of_task(task: Task, request: HttpRequest) -> str | None:
    """The address that others call to run it, as whoever asks now reaches us; None where it has none."""
    try:
        return rotation.address_of(task.hook, request)
    except Hook.DoesNotExist:
        return None


def _make(task: Task, now: datetime) -> Hook:
    tag = f"{OF_TASK}{task.tag}"
    retries = columns_of(task.application.policy)
    runnable = Runnable(application=task.application, kind=KIND, name=tag[:200], overlap=Overlap.ALLOW, **retries)
    return Hook.objects.create(
        application=task.application,
        runnable=add_runnable(runnable, now=now),
        task=task,
        tag=tag,
        name=task.name,
        **rotation.new_secret(),
    )
