"""What can be done with hooks: they are made, they end, they get another secret, and they are called."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from badgerjobs.lib import vault
from badgerjobs.lib.storable import cleaned
from badgerjobs.lib.tokens import digest_of
from badgerjobs.runs.models import Cause, Run
from badgerjobs.runs.services import run_now
from tasks.models import Task
from tasks.webhook_variables import in_lower_case
from webhooks.models import Hook

SECRET_BYTES = 32  # 256 bits
# So much of the headers of a call is kept, in characters.
MOST_HEADERS = 16_000

# So many runs of a task may be waiting or running: each keeps what it was called with until it is its turn.
MOST_WAITING = 1000

DISABLED = "The task is disabled: it was not run."


class TooManyWaitingError(Exception):
    """A task has so many runs before it that it takes no more now. The message says so."""


def make_hook(task: Task) -> Hook:
    """Give a task its address, unless it has one."""
    found = Hook.objects.filter(task=task).first()
    return found or Hook.objects.create(application=task.application, task=task, **_new_secret())


def end_hook(task: Task) -> None:
    """Take its address from a task, if it has one: it leads nowhere from now on."""
    Hook.objects.filter(task=task).delete()


def rotate_hook(task: Task) -> Hook:
    """Give a task another address. The one before leads nowhere from now on."""
    hook, _ = Hook.objects.update_or_create(task=task, defaults={"application": task.application, **_new_secret()})
    hook.task = task  # which remembers this one from now on
    return hook


def address_of(task: Task, request: HttpRequest) -> str | None:
    """The address that others call to run it, as whoever asks now reaches us; None where it has none."""
    try:
        secret = task.hook.secret
    except Hook.DoesNotExist:
        return None
    return request.build_absolute_uri(reverse("hook", args=[secret]))


def _new_secret() -> dict[str, str]:
    secret = secrets.token_urlsafe(SECRET_BYTES)
    return {"secret": secret, "digest": digest_of(secret)}


@dataclass(frozen=True, slots=True)
class Called:
    """What came of a call: the run that it made, or why it made none."""

    run: Run | None
    reason: str = ""


@transaction.atomic
def call_hook(*, hook: Hook, body: Any, headers: Mapping[str, str], now: datetime) -> Called:
    """Make a run of its task, with what came. Raises Conflict when that was deleted meanwhile, and TooManyWaitingError.

    One that is disabled is not run: whoever calls cannot help it, and need not call again.
    """
    task = hook.task
    if task is None or not task.runnable.enabled:
        return Called(None, DISABLED)
    if Run.objects.of(task.runnable_id).unfinished().count() >= MOST_WAITING:
        raise TooManyWaitingError(f"{MOST_WAITING:,} runs of this task wait or run already: send it again later.")
    given = {"body": cleaned(body), "headers": kept_headers(headers)}
    return Called(run_now(runnable=task.runnable, cause=Cause.WEBHOOK, now=now, input=given))


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those of a call that its transform sees, and that are kept with the run: in lower case, without credentials.

    What is no printable text is left out, and so are all that come after 16,000 characters.
    """
    kept: dict[str, str] = {}
    left = MOST_HEADERS
    for name, value in headers.items():
        left -= len(name) + len(value)
        if left < 0:
            break
        if value.isprintable() and not vault.is_secret(name):
            kept[name] = cleaned(value)
    return in_lower_case(kept)
