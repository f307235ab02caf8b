"""What a worker needs of the deliveries whose runs it took, in three queries; long bodies when it is their turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Case, F, OuterRef, Subquery, Sum, TextField, Value, When
from django.db.models.functions import Cast, Length

from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import Run
from webhooks.models import Act, Delivery, Hook
from webhooks.performing.bodies import BadBodyError, text_of
from webhooks.receiving.packing import unpacked

# Longer bodies are read one at a time: hundreds of runs may be in hand.
SHORT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Work:
    """A delivery, and its hook as it is now. `short` is its body, None for one that is long: `body()` reads it.

    `length` is how many bytes came. `is_planned`: what its run is to do was planned by an earlier attempt, whose output
    was `before`; `given` is how many characters of JSON its acts are given.
    """

    delivery_id: UUID
    headers: Mapping[str, str]
    hook: Hook
    short: bytes | None
    length: int = 0
    is_planned: bool = False
    before: Any = None
    given: int = 0
    _kept: list[str | BadBodyError] = field(default_factory=list, init=False, compare=False, repr=False)

    def body(self) -> bytes:
        """What came, byte for byte. Asks the database for a long one."""
        return body_of_delivery(self.delivery_id) if self.short is None else self.short

    def text(self) -> str:
        """The same as JSON that can be kept: read once, however many acts ask for it. Raises BadBodyError."""
        found = next(iter(self._kept), None) or self.keep(self.body())
        if isinstance(found, BadBodyError):
            raise BadBodyError(str(found))
        return found

    def keep(self, raw: bytes) -> str | BadBodyError:
        """Read what came, so that whoever asks for it has it. Takes long for a long one."""
        try:
            found: str | BadBodyError = text_of(self.headers, raw)
        except BadBodyError as error:
            found = BadBodyError(str(error))
        self._kept[:] = [found]
        return found

    def forget(self) -> None:
        """Nobody will ask again."""
        self._kept.clear()


def body_of_delivery(delivery_id: UUID) -> bytes:
    """The body of a delivery, empty where that was deleted meanwhile."""
    row = Delivery.objects.filter(pk=delivery_id).values_list("body", "packed").first()
    return unpacked(bytes(row[0]), packed=row[1]) if row else b""


def load(runs: Sequence[Claimed]) -> dict[UUID, Work]:
    """The deliveries of a batch of runs. A run whose delivery or hook was deleted is left out."""
    meant = {run.id: UUID(run.input["delivery"]) for run in runs}
    hooks = _hooks({run.runnable_id for run in runs if run.runnable_id})
    deliveries = _deliveries(set(meant.values()))
    planned = _planned([run.id for run in runs])
    found = {}
    for run in runs:
        hook, row = hooks.get(run.runnable_id), deliveries.get(meant[run.id])
        if hook is None or row is None or row["runnable_id"] != run.runnable_id:
            continue
        body = row["short"]
        before, given = planned.get(run.id, (None, 0))
        found[run.id] = Work(
            row["pk"],
            row["headers"],
            hook,
            None if body is None else unpacked(bytes(body), packed=row["packed"]),
            row["bytes"],
            run.id in planned,
            before,
            given,
        )
    return found


def _hooks(runnable_ids: set[int]) -> dict[int | None, Hook]:
    """Without whom they believe: secrets are read by nobody who needs none."""
    columns = ("runnable_id", "tag", "transform", "transform_version", "actions", "task__tag", "task__name")
    rows = Hook.objects.filter(runnable_id__in=runnable_ids).select_related("application", "task")
    return {hook.runnable_id: hook for hook in rows.only(*columns, "application__workspace_id")}


def _deliveries(ids: set[UUID]) -> dict[UUID, dict[str, Any]]:
    short = Case(When(bytes__lte=SHORT_BYTES, then=F("body")), default=Value(None))
    rows = Delivery.objects.filter(pk__in=ids).annotate(short=short)
    found: Any = rows.values("pk", "runnable_id", "headers", "packed", "bytes", "short")
    return {row["pk"]: row for row in found}


def _planned(run_ids: Sequence[UUID]) -> dict[UUID, tuple[Any, int]]:
    """Runs of which it is known what they are to do → the output of the attempt before, None where that has none.

    And how much their acts are given.
    """
    begun = Act.objects.filter(run_id__in=run_ids, position=0).values("run_id")
    acts = Act.objects.filter(run_id=OuterRef("pk")).order_by().values("run_id")
    given = acts.annotate(length=Sum(Length(Cast("given", TextField())))).values("length")
    rows = Run.objects.filter(pk__in=begun).annotate(given=Subquery(given))
    return {pk: (output, length) for pk, output, length in rows.values_list("pk", "output", "given")}
