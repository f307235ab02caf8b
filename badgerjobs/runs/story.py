"""A run as its page tells it: the states it went through, its attempts on a line of time, and its log."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise

from badgerjobs.lib import words
from badgerjobs.runs.measures import first_due, late_ms
from badgerjobs.runs.models import FINAL, Attempt, LogLine, Run, State
from badgerjobs.runs.shown import shown_as

_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Step:
    """A state on the path of a run, and a few words about when."""

    state: str
    said: str = ""


def path_of(run: Run, attempts: Sequence[Attempt], zone: tzinfo) -> list[Step]:
    """The states that a run went through, and where it is. Those that it went through many times stand there once."""
    steps = list(_steps(run, attempts, zone))
    if run.state in FINAL:
        return [*steps, Step(run.state, clock(run.finished_at, zone) if run.finished_at else "")]
    if not steps or steps[-1].state != run.state:
        steps.append(Step(run.state, "" if run.state != State.QUEUED else "again"))
    return steps


def _steps(run: Run, attempts: Sequence[Attempt], zone: tzinfo) -> Iterator[Step]:
    due = first_due(run)
    if run.state == State.SKIPPED:
        return
    if run.occurrence:
        yield Step(State.SCHEDULED, clock(due, zone))
    if run.state != State.SCHEDULED:
        waited = (run.created_at - due) / _MS
        yield Step(State.QUEUED, f"+ {words.duration(waited)}" if waited >= 0.5 else clock(due, zone))
    if run.started_at:
        yield Step(State.RUNNING, f"{words.duration(late_ms(run) or 0)} late")
    failed = [one for one in attempts if not one.ok]
    retried = failed[:-1] if run.state == State.FAILED else failed
    if retried:
        times = {1: "once", 2: "twice"}.get(len(retried), f"{len(retried)} times")
        waits = sum(filter(None, (gap for gap in gaps(attempts))))
        yield Step(State.RETRYING, f"{times}, {words.duration(waits)} in all" if waits else times)
        if run.state == State.RUNNING:
            yield Step(State.RUNNING, f"attempt {run.attempts + 1}")


def gaps(attempts: Sequence[Attempt]) -> list[float | None]:
    """How long each attempt waited after the end of the one before it, in milliseconds; None for the first."""
    ends = [None, *(end_of(one) for one in attempts[:-1])]
    return [max(0.0, (one.started_at - end) / _MS) if end else None for one, end in zip(attempts, ends, strict=True)]


def end_of(attempt: Attempt) -> datetime:
    return attempt.started_at + attempt.duration_ms * _MS


@dataclass(frozen=True, slots=True)
class Row:
    """An attempt in the table: its bar is so many thousandths of the longest one's wide."""

    attempt: Attempt
    began: str
    waited: float | None
    answer: str
    width: float


def rows_of(run: Run, attempts: Sequence[Attempt], zone: tzinfo) -> list[Row]:
    """The attempts with what a table says of each."""
    longest = max((one.duration_ms for one in attempts), default=0) or 1
    return [
        Row(one, clock(one.started_at, zone), gap, _answer(run, one),
            max(2.0, round(1000 * one.duration_ms / longest, 1)))
        for one, gap in zip(attempts, gaps(attempts), strict=True)
    ]  # fmt: skip


def _answer(run: Run, attempt: Attempt) -> str:
    """What lists say of it; a class of errors is a word for machines."""
    said = shown_as(run.kind).answer(attempt.result or {}, attempt.error_class)
    return said or attempt.error or ("done" if attempt.ok else "failed")


@dataclass(frozen=True, slots=True)
class Lane:
    """The attempts of a run on one line, drawn in a box of 1000 by 24: SVG paths, and the words below it."""

    good: str
    bad: str
    now: str
    waits: str
    marks: list[str]
    length_ms: float
    said: str


# How narrow an attempt may be drawn, and how many words stand below the line.
_LEAST, _MARKS = 3.0, 6


def lane_of(run: Run, attempts: Sequence[Attempt], zone: tzinfo, now: datetime) -> Lane | None:
    """The line of a run that was tried more than once, or waits to be; None where there is nothing to compare."""
    if not attempts or (len(attempts) == 1 and run.state != State.RETRYING):
        return None
    begin, end = attempts[0].started_at, end_of(attempts[-1])
    if run.state == State.RETRYING:
        end = max(end, run.due_at)
    elif run.state not in FINAL:
        end = max(end, now)
    length = max(1.0, (end - begin) / _MS)

    def at(moment: datetime) -> float:
        return round(1000 * ((moment - begin) / _MS) / length, 1)

    def span(one: Attempt) -> str:
        start = min(at(one.started_at), 1000 - _LEAST)
        return f"M{start} 12H{max(at(end_of(one)), start + _LEAST)}"

    waits = [f"M{at(end_of(a))} 12H{at(b.started_at)}" for a, b in pairwise(attempts)]
    last = at(end_of(attempts[-1]))
    if run.state == State.RETRYING:
        waits.append(f"M{last} 12H1000")
    return Lane(
        good="".join(span(one) for one in attempts if one.ok),
        bad="".join(span(one) for one in attempts if not one.ok),
        now=f"M{max(last, at(run.due_at))} 12H1000" if run.state == State.RUNNING else "",
        waits="".join(waits),
        marks=[
            clock(begin, zone).partition(".")[0],
            *(f"+ {words.duration(length * n / _MARKS)}" for n in range(1, _MARKS)),
        ],
        length_ms=length,
        said=_said(attempts, length),
    )


def _said(attempts: Sequence[Attempt], length_ms: float) -> str:
    waits = [words.duration(gap) for gap in gaps(attempts) if gap]
    between = (
        f", with waits of {' and '.join(filter(None, [', '.join(waits[:-1]), waits[-1]]))} between" if waits else ""
    )
    count = f"{len(attempts)} attempts" if len(attempts) > 1 else "1 attempt"
    return f"{count} within {words.duration(length_ms)}{between}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log. `bad` is red."""

    at: str
    said: str
    bad: bool = False


def log_of(run: Run, attempts: Iterable[Attempt], lines: Iterable[LogLine], zone: tzinfo) -> list[Line]:
    """What the row, its attempts and the log say, in the order of time."""
    told = [
        *_of_run(run),
        *_of_attempts(run, attempts),
        *((one.created_at, _worded(one), _is_bad(one)) for one in lines),
    ]
    return [Line(clock(moment, zone), said, bad) for moment, said, bad in sorted(told, key=lambda line: line[0])]


Told = tuple[datetime, str, bool]


def _of_run(run: Run) -> Iterator[Told]:
    late = (run.created_at - first_due(run)) / _MS
    if run.state == State.SKIPPED:
        return
    yield run.created_at, "Queued." if late < 0.5 else f"Queued, {words.duration(late)} after it was due.", False
    if run.started_at and not run.attempts:
        yield run.started_at, "Taken by a worker: attempt 1.", False


def _of_attempts(run: Run, attempts: Iterable[Attempt]) -> Iterator[Told]:
    answer = shown_as(run.kind).answer
    for one in attempts:
        yield one.started_at, f"Attempt {one.number}.", False
        if one.ok:
            said = answer(one.result or {}, one.error_class)
            yield end_of(one), f"Succeeded: {said}." if said else "Succeeded.", False


def _worded(line: LogLine) -> str:
    due = (line.data or {}).get("next_attempt_at") if isinstance(line.data, dict) else None
    try:
        wait = (datetime.fromisoformat(due) - line.created_at) / _MS if isinstance(due, str) else None
    except (ValueError, TypeError):
        wait = None
    return line.message if wait is None else f"{line.message} Next attempt in {words.duration(max(0, wait))}."


def _is_bad(line: LogLine) -> bool:
    return line.level in {"warning", "error"}


def clock(moment: datetime, zone: tzinfo) -> str:
    """`08:00:00.012`."""
    return f"{moment.astimezone(zone):%H:%M:%S.%f}"[:-3]
