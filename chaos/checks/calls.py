"""I3 and I4: what the receiver saw of each run and of each job, against the books.

A call ends for the receiver when it is answered, or when its connection is gone: what a killed worker had open ends
with it. What a *frozen* worker had open does not. When it stood still for longer than its lease, its runs were given
to others, and what it does in the first moments after it wakes up nobody can take back: such calls are counted apart,
as `taken over`, if the run's log says that it was taken back, and only then.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chaos.books import Attempt, Books, Run
from chaos.checks.violation import Violation
from chaos.history import Call
from chaos.stack import Freeze

LEASE_S = 20.0
# So long a worker that wakes up may go on with what it had, until its next pulse tells it.
WAKING_S = 3.0
# A connection that is cut and a call that comes on another one may be read in either order.
SLACK_S = 0.25
# With these, no two runs of a job are ever under way at once, whoever asked for them.
ONE_AT_A_TIME = {"skip", "queue_one", "queue_all"}


@dataclass
class Seen:
    """The calls of jobs that are still there, and what is needed to judge them. `taken_over` counts what is excused."""

    books: Books
    calls: Sequence[Call]
    freezes: Sequence[Freeze] = ()
    overlaps: Mapping[str, str] = field(default_factory=dict)
    taken_over: int = 0

    def __post_init__(self) -> None:
        self.runs: dict[str, Run] = {run.id: run for run in self.books.runs}

    def name(self, call: Call) -> str:
        """Which run a call was of, for people."""
        run = self.runs.get(call.run)
        return f"run {run.number} by {run.cause}, {run.state} ({run.id})" if run else f"run {call.run}"

    def is_excused(self, *pair: Call) -> bool:
        """Whether one of these runs was taken from a worker that stood still around that time."""
        handed_back = any(call.run in self.books.handed_back for call in pair)
        since, until = min(call.began for call in pair), max(call.began for call in pair)
        frozen = any(
            one.name.startswith("worker")
            and one.seconds > LEASE_S - 1
            and one.since - WAKING_S <= until
            and since <= one.until + WAKING_S
            for one in self.freezes
        )
        self.taken_over += handed_back and frozen
        return handed_back and frozen


def strangers(seen: Seen) -> Iterator[Violation]:
    """Every `webhook-id` is a run of the job whose address was called."""
    for call in seen.calls:
        run = seen.runs.get(call.run)
        if run is None:
            yield Violation("stranger", f"{call.job} was called with the id {call.run!r}, which is no run.")
        elif run.job != call.job:
            yield Violation("stranger", f"{call.job} was called with the id of a run of {run.job}.")


def one_at_a_time(seen: Seen) -> Iterator[Violation]:
    """I3: the calls of one run never overlap."""
    for first, second in _overlapping(seen.calls, key=lambda call: call.run):
        if not seen.is_excused(first, second):
            yield Violation("overlapping", f"{first.job}: two calls of run {first.run} at once{_when(first, second)}.")


def policies_hold(seen: Seen) -> Iterator[Violation]:
    """I4: with `skip`, `queue_one` and `queue_all`, two runs of one job are never under way at once."""
    alone = [call for call in seen.calls if seen.overlaps.get(call.job) in ONE_AT_A_TIME]
    for first, second in _overlapping(alone, key=lambda call: call.job):
        if first.run != second.run and not seen.is_excused(first, second):
            said = f"{first.job} ({seen.overlaps[first.job]}): {seen.name(first)} and {seen.name(second)} at once"
            yield Violation("concurrent", f"{said}{_when(first, second)}.")


def explained(seen: Seen) -> Iterator[Violation]:
    """A run is called once for each attempt on record, and once more for each time that the books give a reason.

    Or that the receiver died with the call: over a kept connection that breaks without an answer it is sent again. What
    is still under way (which is told of as stuck) has a call that no attempt on record tells of yet.
    """
    made: dict[str, list[Call]] = defaultdict(list)
    for call in seen.calls:
        made[call.run].append(call)
    for run_id, calls in made.items():
        if run := seen.runs.get(run_id):
            reasons = len(seen.books.handed_back.get(run_id, [])) + (run.state in {"aborted", "running"})
            reasons += sum(call.died_with_us for call in calls)
            if len(calls) > run.attempts + reasons:
                counted = f"{len(calls)} calls, {run.attempts} attempts and {reasons} reasons for more"
                yield Violation("repeated", f"{run.job}: run {run.number} ({run_id}) had {counted}.")


def answered(seen: Seen) -> Iterator[Violation]:
    """What the books say that was answered, the receiver answered."""
    given: dict[tuple[str, int], int] = defaultdict(int)
    for call in seen.calls:
        given[call.run, call.status] += 1
    for attempt in seen.books.attempts:
        if attempt.status is not None:
            given[attempt.run, attempt.status] -= 1
            if given[attempt.run, attempt.status] < 0:
                yield Violation("unheard", f"{_said(attempt)}, and the receiver never answered that.")


def _said(attempt: Attempt) -> str:
    return f"Attempt {attempt.number} of run {attempt.run} says that it was answered {attempt.status}"


def _overlapping(calls: Iterable[Call], key: Callable[[Call], str]) -> Iterator[tuple[Call, Call]]:
    groups: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        groups[key(call)].append(call)
    for group in groups.values():
        yield from _pairs(sorted(group, key=lambda call: call.began))


def _pairs(calls: Sequence[Call]) -> Iterator[tuple[Call, Call]]:
    open_calls: list[Call] = []
    for call in calls:
        open_calls = [one for one in open_calls if one.ended - (SLACK_S if one.is_cut else 0) > call.began]
        yield from ((one, call) for one in open_calls)
        open_calls.append(call)


def _when(first: Call, second: Call) -> str:
    how = "cut" if first.is_cut else str(first.status)
    return f": one from {first.began:.3f} to {first.ended:.3f} ({how}), one from {second.began:.3f}"
