"""I7: what runnables count of themselves is what one finds by counting."""

from collections.abc import Iterator, Sequence
from itertools import takewhile

from chaos.books import Books, Counters, Run
from chaos.checks.violation import Violation
from chaos.eras import Promise


def counters(books: Books, promises: Sequence[Promise]) -> Iterator[Violation]:
    """Compare each counter with the rows."""
    by_job, by_name = books.by_job(), {promise.name: promise for promise in promises}
    for row in books.counters:
        if promise := by_name.get(row.job):
            made = [run for run in by_job.get(row.job, []) if not run.is_skipped]
            yield from _numbered(row, made)
            yield from _scheduled(row, made, promise)
            if promise.overlap != "allow":  # else two may end at once, and either may be counted first
                yield from _failed(row, made, promise)


def _numbered(row: Counters, made: Sequence[Run]) -> Iterator[Violation]:
    if sorted(run.number for run in made) != list(range(1, row.runs_made + 1)):
        numbers = f"numbers up to {max((run.number for run in made), default=0)}"
        yield Violation("counted", f"{row.job} says {row.runs_made} runs, and has {len(made)} with {numbers}.")


def _scheduled(row: Counters, made: Sequence[Run], promise: Promise) -> Iterator[Violation]:
    """Counted since the schedule was set: where it was changed, nobody can say from outside when that was."""
    count = sum(run.cause == "schedule" for run in made)
    if not promise.was_changed and row.scheduled_runs != count:
        yield Violation("counted", f"{row.job} says {row.scheduled_runs} runs by its schedule, and has {count}.")


def _failed(row: Counters, made: Sequence[Run], promise: Promise) -> Iterator[Violation]:
    """Failures since the last success, or since it was resumed after they had it paused.

    A run ends when its attempt did, and is written later: the last one that ended before the resume may count after it.
    """
    over = sorted(
        (run.finished_at, run.state) for run in made if run.finished_at and run.state in {"succeeded", "failed"}
    )
    before = [state for at, state in over if promise.forgiven_at and at <= promise.forgiven_at]
    since = [state for _, state in over[len(before) :]]
    counts = {_failures_in_row(since), _failures_in_row([*before[-1:], *since])}
    if row.failures_in_row not in counts:
        found = " or ".join(map(str, sorted(counts)))
        yield Violation("counted", f"{row.job} says {row.failures_in_row} failures in a row, and has {found}.")


def _failures_in_row(states: Sequence[str]) -> int:
    return len(list(takewhile(lambda state: state == "failed", reversed(states))))
