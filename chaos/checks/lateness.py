"""I9, and that work goes on: what must hold while nothing is broken."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

from chaos.books import Run
from chaos.checks.violation import Violation
from chaos.faults import Felt
from chaos.history import Call

P95_S = 2.0
# Of fewer, a percentile says nothing.
ENOUGH = 20
LONGEST_SILENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which nothing was broken, in Unix seconds."""

    since: float
    until: float

    def holds(self, at: float) -> bool:
        return self.since <= at < self.until


def quiet(felt: Iterable[Felt], since: float, until: float) -> list[Window]:
    """The windows between faults, from `since` to `until`."""
    found, free_from = [], since
    for fault in sorted(felt, key=lambda fault: fault.since):
        if fault.since > free_from:
            found.append(Window(free_from, min(fault.since, until)))
        free_from = max(free_from, fault.until)
    return [*found, Window(free_from, until)] if free_from < until else found


def lateness(
    windows: Sequence[Window], runs: Iterable[Run], calls: Iterable[Call], is_quick: Mapping[str, bool]
) -> list[float]:
    """Seconds between due and called, of each run of a quick job that a schedule made due in one of the windows."""
    called: dict[str, float] = {}
    for call in calls:
        called[call.run] = min(call.began, called.get(call.run, call.began))
    due = {
        run.id: run.occurrence.timestamp()
        for run in runs
        if run.cause == "schedule" and run.occurrence and is_quick.get(run.job) and run.id in called
    }
    return [called[run] - at for run, at in due.items() if any(window.holds(at) for window in windows)]


def p95(late: Sequence[float]) -> float:
    """Seconds; 0 where there is too little to tell."""
    return quantiles(late, n=20, method="inclusive")[-1] if len(late) >= ENOUGH else 0.0


def on_time(late: Sequence[float]) -> Iterator[Violation]:
    """Nearly all are called within two seconds."""
    if p95(late) > P95_S:
        yield Violation("late", f"With nothing broken, p95 of {len(late)} runs was {p95(late):.2f} s late.")


def goes_on(windows: Sequence[Window], ended: Iterable[float]) -> Iterator[Violation]:
    """In no window is there a silence of ten seconds, and in none that is long enough to tell is there nothing."""
    moments = sorted(ended)
    for window in windows:
        inside = [at for at in moments if window.holds(at)]
        for first, second in zip([window.since, *inside], [*inside, window.until], strict=True):
            if second - first > LONGEST_SILENCE_S:
                yield Violation("silent", f"With nothing broken, no run ended for {second - first:.1f} s.")
