"""The rows of lists of deliveries: how each stands, and what came of it, in words."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models.fields.json import KeyTransform

from badgerjobs.runs.models import FINAL, Run, State
from badgerjobs.workspaces.models import Application
from webhooks.models import Act, ActState, Delivery, Hook, Standing
from webhooks.querysets import DEAD, REPLAYABLE, state_of

# So many of the things that a delivery caused are named in a row.
NAMED = 2
# What is said of those of which nothing more is known.
SAID = {
    Standing.STORED: "nothing: its webhook only stores what comes",
    Standing.HELD: "waits until its webhook is resumed",
    Standing.DUPLICATE: "nothing: the same came before",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery with the hook that it came to, what its newest run says, and what that did.

    `run` is None where it has none, or that is not kept any more. `filtered` is why its transform let nothing be done.
    `first` is the delivery that it repeats, None where it repeats none, or that is not kept any more.
    """

    delivery: Delivery
    hook: Hook | None
    run: Run | None
    acts: Sequence[Act] = field(default_factory=list)
    filtered: str = ""
    first: UUID | None = None

    @property
    def state(self) -> str:
        """One word of STATES, as strips, filters and REST have it."""
        return state_of(self.delivery.standing, self.run.state if self.run else None)

    @property
    def is_bad(self) -> bool:
        return self.state in (*DEAD, Standing.REFUSED)

    @property
    def may_replay(self) -> bool:
        """Whether it may be acted upon once more, now."""
        is_over = self.run is None or self.run.state in FINAL
        return self.hook is not None and self.delivery.standing in REPLAYABLE and is_over

    @property
    def said(self) -> str:
        """What came of it, where no act tells: a reason, an error, or that nothing was to be done."""
        standing = self.delivery.standing
        if standing == Standing.REFUSED:
            return f"nothing: {self.delivery.reason}"
        if standing != Standing.ACCEPTED:
            return SAID.get(Standing(standing), "")
        if self.run is None:
            return "its run is not kept any more"
        return self._run_said(self.run)

    def _run_said(self, run: Run) -> str:
        if run.error:
            return run.error
        if self.filtered:
            return f"nothing: “{self.filtered}”"
        if run.state not in FINAL:
            return "not done yet"
        return "nothing: no action was asked for" if run.state == State.SUCCEEDED and not self.acts else ""

    @property
    def wrong(self) -> str:
        """What was wrong with its newest run, as a sentence that others may follow."""
        error = self.run.error if self.run else ""
        return error if not error or error[-1] in ".!?…" else f"{error}."

    @property
    def named(self) -> Sequence[Act]:
        """The first of what it caused: what failed before anything else."""
        return sorted(self.acts, key=lambda act: (act.state != ActState.FAILED, act.position))[:NAMED]

    @property
    def more(self) -> int:
        """How many there are beside those."""
        return max(0, len(self.acts) - NAMED)


def rows_of(application: Application, deliveries: Iterable[Delivery]) -> list[Row]:
    """The deliveries with what a list says of each: three queries, or four where some are repeats, however many."""
    deliveries = list(deliveries)
    firsts = _kept(application, {one.duplicate_of for one in deliveries if one.duplicate_of})
    hooks = _hooks(application, {one.runnable_id for one in deliveries})
    run_ids = {one.run_id for one in deliveries if one.run_id}
    runs = _runs(application, run_ids)
    acts: dict[Any, list[Act]] = {}
    found = Act.objects.for_application(application).filter(run_id__in=run_ids)
    for act in found.defer("given").order_by("run_id", "position"):
        acts.setdefault(act.run_id, []).append(act)
    return [
        Row(
            one,
            hooks.get(one.runnable_id),
            run := runs.get(one.run_id),
            acts.get(one.run_id, []),
            getattr(run, "filtered", None) or "",
            one.duplicate_of if one.duplicate_of in firsts else None,
        )
        for one in deliveries
    ]


def stamp_of(rows: Iterable[Row]) -> str:
    """What differs when a list has something else to say of them."""
    return str([(row.delivery.pk, row.state, row.said, len(row.acts)) for row in rows])


def _kept(application: Application, delivery_ids: Collection[UUID]) -> set[UUID]:
    """Those of these that are there: retention may have taken the first before what repeats it."""
    if not delivery_ids:
        return set()
    its = Delivery.objects.for_application(application).filter(pk__in=delivery_ids)
    return set(its.values_list("pk", flat=True))


def _hooks(application: Application, runnable_ids: Iterable[int]) -> dict[int, Hook]:
    hooks = Hook.objects.for_application(application).filter(runnable_id__in=runnable_ids)
    return {hook.runnable_id: hook for hook in hooks.only("tag", "name", "runnable_id", "application_id")}


def _runs(application: Application, run_ids: Iterable[Any]) -> dict[Any, Run]:
    """Id → run, without what it was given and what came of it, but for why nothing was done."""
    runs = Run.objects.filter(application=application, pk__in=run_ids).defer("input", "output")
    return {run.pk: run for run in runs.annotate(filtered=KeyTransform("filtered", "output"))}
