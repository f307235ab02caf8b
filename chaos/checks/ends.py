"""I2: each run is over, in one final state that stays, with the attempts that it says it took or the reason why not."""

from collections.abc import Iterator, Mapping, Sequence

from chaos.books import Attempt, Run
from chaos.checks.violation import Violation

FINAL = {"succeeded", "failed", "aborted", "skipped"}


def ends(runs: Sequence[Run], attempts: Sequence[Attempt]) -> Iterator[Violation]:
    """Each run by itself."""
    tries: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        tries.setdefault(attempt.run, []).append(attempt)
    for run in runs:
        yield from _end(run, tries.get(run.id, []))
    known = {run.id for run in runs}
    for orphan in tries.keys() - known:
        yield Violation("books", f"There is an attempt of run {orphan}, and no such run.")


def _end(run: Run, tries: Sequence[Attempt]) -> Iterator[Violation]:
    if run.state not in FINAL:
        yield Violation("stuck", f"{_name(run)} is still {run.state}{' and held' if run.held else ''}.")
        return
    if run.finished_at is None or run.held:
        yield Violation("books", f"{_name(run)} is {run.state}, and does not say when it ended, or is held.")
    if [one.number for one in tries] != list(range(1, run.attempts + 1)):
        yield Violation("books", f"{_name(run)} says {run.attempts} attempts, and has {[one.number for one in tries]}.")
    if wrong := _contradiction(run, [one.ok for one in tries]):
        yield Violation("books", f"{_name(run)} is {run.state}, and {wrong}.")


def _contradiction(run: Run, good: Sequence[bool]) -> str:
    """Each iteration but the last ends with a good attempt; most runs have one iteration."""
    before = run.iteration - 1
    match run.state:
        case "succeeded":
            is_right = good and good[-1] and sum(good) == before + 1
            return "" if is_right else "its last attempt is not its only good one, or that of its last iteration"
        case "failed":
            if sum(good) != before:
                return "one of its attempts was good, or one of its iterations has none that was"
            return "" if good or run.error else "has neither an attempt nor a reason"
        case "skipped":
            return "" if run.skip_reason and not good else "has no reason, or an attempt"
        case _:
            if not before <= sum(good) <= before + 1:  # its code may have given itself up, which is a good one
                return "an iteration before its last has no good attempt, or more than one"
            return "" if run.error else "has no reason"


def _name(run: Run) -> str:
    return f"{run.job}: run {run.number} ({run.id})"


def changed(over: Mapping[str, tuple[str, int]], runs: Sequence[Run], kept: set[int]) -> Iterator[Violation]:
    """What was seen to be over is so at the end, in the same state. `kept` are the runnables that are still there."""
    now = {run.id: run for run in runs}
    for run_id, (state, runnable_id) in over.items():
        if run := now.get(run_id):
            if run.state != state:
                yield Violation("changed", f"{_name(run)} was {state} once, and is {run.state}.")
        elif runnable_id in kept:
            yield Violation("changed", f"Run {run_id} was {state} once, and is not there.")


def unconfirmed(asked: set[str], runs: Sequence[Run]) -> Iterator[Violation]:
    """What was asked for and confirmed is there."""
    for run in asked - {run.id for run in runs}:
        yield Violation("lost", f"Run {run} was asked for and confirmed, and is not there.")
