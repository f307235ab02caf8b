"""All checks together, and what is said of them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.report import say
from chaos.books import Books
from chaos.checks import background, calls, counters, deliveries, ends, lateness, loads, occurrences, tenants
from chaos.checks.lateness import Window
from chaos.checks.tenants import Shown
from chaos.checks.violation import Violation
from chaos.eras import Promises
from chaos.history import Call
from chaos.stack import Freeze

# What may be wrong, as the last line counts it.
KINDS = {
    "lost": "no row accounts for an occurrence",
    "doubled": "an occurrence is accounted for twice",
    "invented": "a run for a time that was never planned",
    "miscounted": "a row of skipped ones counts wrong",
    "stuck": "a run that is not over, or a schedule that does not go on",
    "books": "a run contradicts its attempts",
    "changed": "a final state that changed",
    "stranger": "a call with an id that is no run of its job",
    "overlapping": "two calls of one run at once",
    "concurrent": "two runs of one schedule at once, against its policy",
    "repeated": "more calls than the books explain",
    "unheard": "an attempt that the receiver knows nothing of",
    "misled": "a webhook answered with what is no answer",
    "unacted": "a webhook that was accepted, and neither acted upon nor failed",
    "failed": "a background task or a load that failed for no reason of its own",
    "kept": "what an iteration or a load left that is not kept, or more than once, or although it failed",
    "torn": "a collection that shows what no run has left, or what was before",
    "unsaid": "an iteration of which the log says nothing",
    "unheeded": "an abort that was accepted and did not hold, or one that nobody asked for",
    "counted": "a counter that is not what one finds by counting",
    "mixed": "a tenant's row or call in another's hands",
    "late": "late while nothing was broken",
    "silent": "nothing done while nothing was broken",
    "died": "a process that ended by itself",
}
SHOWN_OF_EACH = 5


@dataclass
class Evidence:
    """What was promised, seen and written down."""

    promises: Promises
    books: Books
    history: Sequence[Call]
    over: dict[str, tuple[str, int]] = field(default_factory=dict)
    freezes: Sequence[Freeze] = ()
    windows: Sequence[Window] = ()
    shown: Sequence[Shown] = ()
    sent: Sequence[deliveries.Sent] = ()
    orders: background.Orders = field(default_factory=background.Orders)
    fillings: loads.Fillings = field(default_factory=loads.Fillings)
    noticed: list[Violation] = field(default_factory=list)  # what was wrong already while it went on

    def __post_init__(self) -> None:
        kept = {promise.name: promise for promise in self.promises.kept()}
        self.kept = list(kept.values())
        calls_kept = [call for call in self.history if call.job in kept]
        overlaps = {name: promise.overlap for name, promise in kept.items()}
        self.seen = calls.Seen(self.books, calls_kept, self.freezes, overlaps)
        is_quick = {name: promise.is_quick for name, promise in kept.items()}
        self.late = lateness.lateness(self.windows, self.books.runs, self.history, is_quick)


def judge(evidence: Evidence) -> list[Violation]:
    """Everything that is wrong."""
    of_work = [*_of_rows(evidence), *_of_calls(evidence), *_of_hooks(evidence), *_of_background(evidence)]
    return [*evidence.noticed, *of_work, *_of_collections(evidence), *_of_time(evidence)]


def _of_rows(evidence: Evidence) -> Iterator[Violation]:
    books, by_job = evidence.books, evidence.books.by_job()
    for promise in evidence.kept:
        yield from occurrences.occurrences(promise, by_job.get(promise.name, []))
    yield from ends.ends(books.runs, books.attempts)
    yield from ends.changed(evidence.over, books.runs, {promise.runnable_id for promise in evidence.kept})
    yield from ends.unconfirmed(evidence.promises.confirmed(), books.runs)
    yield from counters.counters(books, evidence.kept)


def _of_calls(evidence: Evidence) -> Iterator[Violation]:
    seen = evidence.seen
    for check in (calls.strangers, calls.one_at_a_time, calls.policies_hold, calls.explained, calls.answered):
        yield from check(seen)
    yield from tenants.rows_apart(evidence.books, seen.calls)
    for shown in evidence.shown:
        yield from tenants.tokens_apart(shown)


def _of_hooks(evidence: Evidence) -> Iterator[Violation]:
    sent, books = evidence.sent, evidence.books
    yield from deliveries.answers(sent)
    yield from deliveries.accepted(sent, books)
    yield from deliveries.acted_upon(books)
    yield from deliveries.caused_once(books)
    yield from deliveries.repeats(sent, books)


def _of_background(evidence: Evidence) -> Iterator[Violation]:
    orders, books = evidence.orders, evidence.books
    yield from background.answers(orders)
    yield from background.triggered(orders, books)
    yield from background.over(orders, books)
    yield from background.kept(orders, books)
    yield from background.aborts(orders, books)
    yield from background.children(orders, books)


def _of_collections(evidence: Evidence) -> Iterator[Violation]:
    fillings, books = evidence.fillings, evidence.books
    yield from loads.answers(fillings)
    yield from loads.asked(fillings, books)
    yield from loads.ended(fillings, books)
    yield from loads.counted(books)
    yield from loads.left(books)
    yield from loads.seen(fillings, books)


def _of_time(evidence: Evidence) -> Iterator[Violation]:
    yield from lateness.on_time(evidence.late)
    ended = [run.finished_at.timestamp() for run in evidence.books.runs if run.finished_at and run.attempts]
    yield from lateness.goes_on(evidence.windows, ended)


def tell(violations: Sequence[Violation]) -> None:
    """What is wrong, by kind, with a few of each."""
    for kind, meaning in KINDS.items():
        if found := [one for one in violations if one.kind == kind]:
            say(f"\n{sum(one.count for one in found)} {kind}: {meaning}")
            for one in found[:SHOWN_OF_EACH]:
                say(f"  {one.sentence}")
            if more := len(found) - SHOWN_OF_EACH:
                say(f"  and {more} more" if more > 0 else "")


def figures(violations: Sequence[Violation], evidence: Evidence) -> dict[str, Any]:
    """The last line, but for the faults."""
    counted: Counter[str] = Counter()
    for one in violations:
        counted[one.kind] += one.count
    runs = evidence.books.runs
    return {
        "occurrences": sum(len(promise.must()) for promise in evidence.kept),
        "runs": sum(not run.is_skipped for run in runs),
        "skipped": sum(run.skipped_count or 1 for run in runs if run.is_skipped),
        "calls": len(evidence.history),
        "webhooks": sum(one.status == 202 for one in evidence.sent),
        "tasks": len(evidence.books.tasks),
        "iterations": sum(task.iteration for task in evidence.books.tasks),
        "aborted_tasks": sum(task.state == "aborted" for task in evidence.books.tasks),
        "loads": sum(load.version > 0 for load in evidence.books.loads),
        "failed_loads": sum(load.state == "failed" for load in evidence.books.loads),
        "reads": sum(read.status == loads.OK for read in evidence.fillings.reads),
        "handed_back": sum(map(len, evidence.books.handed_back.values())),
        "taken_over": evidence.seen.taken_over,
        "quiet_seconds": round(sum(window.until - window.since for window in evidence.windows), 1),
        "lateness_p95_ms": round(lateness.p95(evidence.late) * 1000),
        "violations": sum(counted.values()),
        **{kind: counted[kind] for kind in KINDS},
    }
