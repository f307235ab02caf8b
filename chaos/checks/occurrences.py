"""I1: each occurrence of each schedule is in the books exactly once, as a run or within a row of skipped ones."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from chaos.books import Run
from chaos.checks.violation import Violation
from chaos.eras import Promise


def occurrences(promise: Promise, runs: Sequence[Run]) -> Iterator[Violation]:
    """Compare what a schedule promised with the rows of its job."""
    must, may = _wanted(promise, runs), promise.may()
    known = sorted({*must, *may})
    found = Counter(run.occurrence for run in runs if _is_planned(run) and run.occurrence)
    for run in runs:
        if run.is_skipped and run.occurrence:
            covered = _between(known, run.occurrence, run.skipped_until or run.occurrence)
            found.update(covered)
            yield from _miscounted(promise, run, covered)
    yield from _lost(promise, must, found)
    yield from _doubled(promise, found)
    yield from _invented(promise, known, runs)


def _wanted(promise: Promise, runs: Sequence[Run]) -> list[datetime]:
    """What it promised: with a number of runs, all up to the last of them."""
    must = promise.must()
    made = sorted(run.occurrence for run in runs if _is_planned(run) and run.occurrence)
    if promise.max_runs is None or len(made) < promise.max_runs:
        return must
    return [at for at in must if at <= made[promise.max_runs - 1]]


def _is_planned(run: Run) -> bool:
    return run.cause == "schedule" and not run.is_skipped


def _between(known: Sequence[datetime], first: datetime, last: datetime) -> Sequence[datetime]:
    return known[bisect_left(known, first) : bisect_right(known, last)]


def _miscounted(promise: Promise, run: Run, covered: Sequence[datetime]) -> Iterator[Violation]:
    unsure = sum(map(promise.is_unsure, covered))
    if not len(covered) - unsure <= (run.skipped_count or 0) <= len(covered):
        said = f"{promise.name}: a row of skipped ones from {run.occurrence} to {run.skipped_until}"
        yield Violation("miscounted", f"{said} says {run.skipped_count}, and there are {len(covered)}.")


def _lost(promise: Promise, must: Sequence[datetime], found: Counter[datetime]) -> Iterator[Violation]:
    """Those that stand side by side are one sentence."""
    for is_lost, group in groupby(must, key=lambda at: not found[at]):
        if is_lost:
            lost = list(group)
            which = f"{lost[0]}" if len(lost) == 1 else f"{len(lost)} from {lost[0]} to {lost[-1]}"
            near = promise.around(lost[0], lost[-1])
            yield Violation("lost", f"{promise.name}: no row accounts for {which} ({near}).", len(lost))


def _doubled(promise: Promise, found: Counter[datetime]) -> Iterator[Violation]:
    for at, count in found.items():
        if count > 1 and not promise.is_unsure(at):
            yield Violation(
                "doubled", f"{promise.name}: {at} is accounted for {count} times ({promise.around(at, at)}).", count - 1
            )


def _invented(promise: Promise, known: Sequence[datetime], runs: Sequence[Run]) -> Iterator[Violation]:
    planned = set(known)
    for run in runs:
        if run.cause == "schedule" and run.occurrence not in planned:
            yield Violation("invented", f"{promise.name}: {run.occurrence} is {run.state}, and was never planned.")
