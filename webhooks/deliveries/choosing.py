"""Which deliveries somebody means who asks by REST: the filters of the list, and the choice of a replay."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from badgerjobs.runs.models import Run
from badgerjobs.web.problems import Invalid
from badgerjobs.workspaces.models import Application
from webhooks.deliveries.services import MOST_AT_ONCE
from webhooks.models import Delivery, Hook
from webhooks.querysets import DEAD, MAY_REPLAY, DeliveryQuerySet

NO_HOOK = "There is no webhook with the tag “{}” in this application."
TOO_MANY = f"More than {MOST_AT_ONCE:,} deliveries are meant, and one request replays no more: narrow them by since "
TOO_MANY += "and until."


def ids_to_replay(application: Application, choice: Mapping[str, Any]) -> list[UUID]:
    """Those of the chosen deliveries that may be replayed: by filters, unless these say a state, the dead letters.

    Raises Invalid for more than MOST_AT_ONCE: who asked again would replay the same ones once more; and for a hook that
    there is not: mistyped, it would look as if nothing had failed.
    """
    found: DeliveryQuerySet = Delivery.objects.for_application(application)
    found = found.filter(pk__in=choice["ids"]) if "ids" in choice else found
    if "hook" in choice:
        if not (runnables := runnables_of(application, choice["hook"])):
            raise Invalid(hook=NO_HOOK.format(choice["hook"]))
        found = found.filter(runnable_id__in=runnables)
    found = found.received(since=choice.get("since"), until=choice.get("until"))
    states = choice.get("state") or (MAY_REPLAY if "ids" in choice else DEAD)
    found = standing_so(found, states, application, choice.get("hook"))
    if "event_id" in choice:
        found = found.of_event(choice["event_id"])
    ids = list(found.order_by("-pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    if len(ids) > MOST_AT_ONCE:
        raise Invalid(until=TOO_MANY)
    return ids


def standing_so(
    deliveries: DeliveryQuerySet, states: Iterable[str], application: Application, hook: str | None = None
) -> DeliveryQuerySet:
    """Those that stand in one of these states. `hook`: the tag of the one that all of them came to, if it is known."""
    runs = Run.objects.filter(application=application)
    if hook:
        runs = runs.filter(runnable_id__in=runnables_of(application, hook))
    return deliveries.in_states(states, runs)


def runnables_of(application: Application, tag: str) -> list[int]:
    """That of the hook with this tag, if there is one: its runs and deliveries are looked for by it."""
    return list(Hook.objects.for_application(application).filter(tag=tag).values_list("runnable_id", flat=True))
