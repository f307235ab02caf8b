"""Which hooks start something: what the pages of tasks, jobs and events ask for by `tasks/hooks.py`."""

from typing import NamedTuple

from django.urls import reverse

from badgerjobs.workspaces.models import Application
from webhooks.actions import action_of
from webhooks.models import Hook

# So many are named.
MOST_NAMED = 20


class Starter(NamedTuple):
    """A hook with such an action: its name, and the address of its page."""

    name: str
    address: str


def starters_of(application: Application, kind: str, target: str) -> list[Starter]:
    """The hooks of an application with an action of this type for this target, by name: one query.

    The one that belongs to a task is told of elsewhere, with that task.
    """
    wanted = [{"type": kind, action_of(kind).field: target}]
    hooks = Hook.objects.for_application(application).filter(actions__contains=wanted).order_by("name", "pk")
    rows = hooks.values_list("name", "tag")[:MOST_NAMED]
    return [Starter(name, reverse("webhooks:hook", args=[application.slug, tag])) for name, tag in rows]
