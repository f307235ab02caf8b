"""Starts what has a runnable, for many deliveries at once: so many statements for a hundred of them as for one."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Count

from badgerjobs.runs import making
from badgerjobs.runs.models import Cause, Run
from badgerjobs.runs.worker import ring_after_commit
from webhooks.actions import Did
from webhooks.models import ActState

# So many runs of what a hook starts may wait or run: each keeps what it was given until it is its turn.
MOST_WAITING = 1000
# So many bytes of inputs are in memory at once.
INPUT_BYTES = 8 * 1024 * 1024

TOO_MANY = f"{MOST_WAITING:,} runs of the {{}} “{{}}” wait or run already: it takes no more now."
DISABLED = "The {} is disabled: it was not run."
DELETED = "The {} “{}” was deleted at this moment."


@dataclass(frozen=True, slots=True)
class Start:
    """Something that is to be run once. `given` is its input, JSON as text, made when it is its turn: None for none.

    It may raise ValueError, with a sentence. `what` and `tag` are what it is called: the task, refresh-products.
    """

    runnable_id: int
    what: str
    tag: str
    given: Callable[[], str | None]


@dataclass(slots=True)
class _Room:
    """What is known of the runnables, which are locked: whether they are enabled, and how many runs more they take."""

    enabled: dict[int, bool]
    taken: Counter[int]

    def refusal(self, start: Start) -> Did | None:
        """Why it is not run; None where it may be."""
        enabled = self.enabled.get(start.runnable_id)
        if enabled is None:
            return Did(ActState.FAILED, DELETED.format(start.what, start.tag), again=False)
        if not enabled:
            return Did(ActState.SKIPPED, DISABLED.format(start.what))
        if self.taken[start.runnable_id] >= MOST_WAITING:
            return Did(ActState.FAILED, TOO_MANY.format(start.what, start.tag))
        return None


def started(wanted: Sequence[Start | Did], *, now: datetime) -> list[Did]:
    """Make a run of each, in their order, due at once. What is decided already, stays. Returns what came of each.

    One that is disabled is skipped, and one that has too many runs waiting fails, to be tried again.
    """
    starts = [one for one in wanted if isinstance(one, Start)]
    if not starts:
        return [one for one in wanted if isinstance(one, Did)]
    room = _room({one.runnable_id for one in starts})
    decided: dict[int, Did] = {}
    for batch in _in_steps(wanted, room, decided):
        runs, queues = making.queue_each(
            [(start.runnable_id, text) for _, start, text in batch], cause=Cause.WEBHOOK, now=now
        )
        for (place, start, _), (run_id, number) in zip(batch, runs, strict=True):
            said = f"Made run {number:,} of the {start.what} “{start.tag}”."
            decided[place] = Did(ActState.DONE, said, caused=run_id)
        for queue in queues:
            ring_after_commit(queue)
    return [one if isinstance(one, Did) else decided[place] for place, one in enumerate(wanted)]


def hold(runnable_ids: Iterable[int]) -> dict[int, bool]:
    """Lock runnables, in the order of their ids. Returns those that are there, and whether they are enabled."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, enabled FROM runs_runnable WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [list(runnable_ids)],
        )
        return dict(cursor.fetchall())


def _room(runnable_ids: Iterable[int]) -> _Room:
    enabled = hold(runnable_ids)
    unfinished = Run.objects.filter(runnable_id__in=enabled).unfinished().order_by()
    counts = unfinished.values("runnable_id").annotate(count=Count("pk")).values_list("runnable_id", "count")
    return _Room(enabled, Counter(dict(counts)))


def _in_steps(
    wanted: Sequence[Start | Did], room: _Room, decided: dict[int, Did]
) -> Iterator[list[tuple[int, Start, str | None]]]:
    """Those that are run: place, what, and its input as JSON; so many at a time as fit into memory."""
    batch: list[tuple[int, Start, str | None]] = []
    size = 0
    for place, start in enumerate(wanted):
        if isinstance(start, Did):
            continue
        if refused := room.refusal(start):
            decided[place] = refused
            continue
        try:
            text = start.given()
        except ValueError as error:
            decided[place] = Did(ActState.FAILED, str(error), again=False)
            continue
        room.taken[start.runnable_id] += 1
        batch.append((place, start, text))
        size += len(text or "")
        if size > INPUT_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
