"""Finding hooks, and what came to them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self, TypeVar

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.db.models.functions import Lower

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs.models import ACTIVE, WAITING, Run, State
from badgerjobs.workspaces.querysets import OwnedQuerySet

if TYPE_CHECKING:
    from badgerjobs.runs.querysets import RunQuerySet
    from badgerjobs.workspaces.models import Application
    from webhooks.models import Delivery, Hook

M = TypeVar("M", bound=models.Model)

# How deliveries stand, in one word each: what was decided when they came, or how their newest run stands.
WAITS = (*ACTIVE, *WAITING)
ENDED = {"succeeded": State.SUCCEEDED, "failed": State.FAILED, "aborted": State.ABORTED}
DECIDED = ("held", "stored", "duplicate", "refused")
STATES = ("waiting", *ENDED, *DECIDED)
# What nobody did: it is found again, and replayed.
DEAD = ("failed", "aborted")
# What may be replayed, as far as nobody works on it: by what was decided when it came, and by how it stands then.
REPLAYABLE = ("accepted", "stored")
MAY_REPLAY = (*DEAD, "succeeded", "stored")

# Of those that match else, so many of the newest are searched for the id of an event: no index has what providers call
# them.
SEARCHED = 100_000

_FIRST = datetime.fromtimestamp(0, UTC)  # ids begin in 1970


class HookQuerySet(OwnedQuerySet["Hook"]):
    """Hooks. Who is called at an address, `webhooks/receiving/addressed.py` finds."""

    def whole(self) -> HookQuerySet:
        """With what the engine knows of each, and its task where it has one, in the same query."""
        return self.select_related("runnable", "task")

    def in_rows(self) -> HookQuerySet:
        """What a row of a list says: nothing long, and of what is encrypted its address alone."""
        long = ("settings", "transform", "response_body", "task__transform")
        has_transform = models.ExpressionWrapper(~Q(transform=""), models.BooleanField())
        return self.whole().defer(*long).annotate(has_transform=has_transform)

    def search(self, words: str) -> HookQuerySet:
        """Those whose tag or name contains the words, in any case."""
        return self.filter(Q(tag__icontains=words) | Q(name__icontains=words))

    def sortable(self) -> HookQuerySet:
        """With `title`, which sorts names as people do: in any case."""
        return self.annotate(title=Lower("name"))


class OfHookQuerySet(models.QuerySet[M]):
    """What belongs to a hook."""

    def for_application(self, application: Application) -> Self:
        """Only what belongs to hooks of this application."""
        return self.filter(hook__application=application)


class DeliveryQuerySet(OwnedQuerySet["Delivery"]):
    """Deliveries: the newest come last by their ids."""

    def for_application(self, application: Application) -> Self:
        """Only those that this application owns, without what is left of a deleted hook."""
        return super().for_application(application).filter(runnable__application=application)

    def of(self, hook: Hook) -> DeliveryQuerySet:
        """Those of one hook."""
        return self.filter(runnable_id=hook.runnable_id)

    def with_state(self) -> DeliveryQuerySet:
        """Each with its `run_state`, None without a run: see `state_of`. Without its body."""
        state = Run.objects.filter(pk=OuterRef("run_id")).values("state")[:1]
        return self.defer("body").annotate(run_state=Subquery(state))

    def in_states(self, states: Iterable[str], runs: RunQuerySet) -> DeliveryQuerySet:
        """Those that stand in one of STATES. `runs` are all that may be theirs: of their hook, or of the application.

        Few runs wait or end badly, and indexes know them: what waits, and what failed, is found by its runs. Nearly all
        that was accepted succeeded: of it each delivery is asked in turn, the newest first.
        """
        wanted = set(states)
        found = Q(standing__in=wanted.intersection(DECIDED))
        rare = runs.filter(state__in=wanted.intersection(DEAD))
        rare = rare | runs.unfinished() if "waiting" in wanted else rare
        if wanted.intersection((*DEAD, "waiting")):
            found |= Q(standing="accepted", run_id__in=rare.values("pk"))
        if "succeeded" in wanted:
            others = Run.objects.filter(~Q(state=State.SUCCEEDED), pk=OuterRef("run_id"))
            found |= Q(~Exists(others), standing="accepted")
        return self.filter(found)

    def received(self, *, since: datetime | None = None, until: datetime | None = None) -> DeliveryQuerySet:
        """Those that came at or after, and before, these moments: None where there is no bound."""
        found = self
        if since:
            found = found.filter(id__gte=uuid7_floor(max(since, _FIRST)))
        return found.filter(id__lt=uuid7_floor(max(until, _FIRST))) if until else found

    def of_event(self, event_id: str) -> DeliveryQuerySet:
        """Those that their provider calls so, among the newest of these: whatever narrows them else is said before."""
        newest = self.order_by("-pk").values("pk")[:SEARCHED]
        return self.filter(pk__in=newest, event_id=event_id)


def state_of(standing: str, run_state: str | None) -> str:
    """One of STATES. What was accepted and lost its run to retention or a deleted hook counts as succeeded."""
    if standing != "accepted":
        return standing
    return "waiting" if run_state in WAITS else run_state or "succeeded"
