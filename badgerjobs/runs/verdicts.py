"""What became of a run, or where it stands, in a sentence; and what a person may do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from badgerjobs.lib import words
from badgerjobs.runs import skipped
from badgerjobs.runs.measures import late_ms, took_ms
from badgerjobs.runs.models import Attempt, Run, SkipReason, State
from badgerjobs.runs.schedules import place_of
from badgerjobs.runs.shown import shown_as


@dataclass(frozen=True, slots=True)
class Verdict:
    """`tone` is `bad` where a person is wanted, `over` where nobody is.

    `then` is what comes behind it: a moment to count down to, `due`, or the run that it waits for, `before`.
    """

    said: str
    more: str = ""
    tone: str = ""
    then: str = ""


def verdict_on(run: Run, attempts: Sequence[Attempt]) -> Verdict:  # noqa: PLR0911  one for each state
    """Say it of a run and its attempts in their order; the last one with its result."""
    last = attempts[-1] if attempts else None
    match run.state:
        case State.SCHEDULED:
            return Verdict("Its time has not come.", then="due")
        case State.QUEUED if run.held:
            return Verdict("It is due, and waits for", then="before")
        case State.QUEUED if not attempts:
            return Verdict("It is due, and waits for a free worker.")
        case State.QUEUED:
            return Verdict(f"Attempt {run.attempts + 1} is due, and waits for a free worker.")
        case State.RUNNING:
            return Verdict(f"Attempt {run.attempts + 1} is under way.")
        case State.RETRYING:
            return _retrying(run, last)
        case State.SUCCEEDED:
            return Verdict(_success(run, attempts), _on_the_way(attempts), "over")
        case State.FAILED:
            return _failure(run, attempts)
        case State.ABORTED:
            return Verdict(run.error or "Somebody stopped it.", _before_the_end(run), "over")
    return Verdict(skipped.story(run, place_of(run.runnable)), _WHAT_NOW.get(run.skip_reason, ""), "over")


# What a person may do about occurrences that were skipped, by the reason.
_WHAT_NOW: Mapping[str, str] = {
    SkipReason.OVERLAP: "Its policy for overlap says so: it may let occurrences wait, or run beside each other.",
    SkipReason.MISSED: "Its policy for what was missed lets them go.",
    SkipReason.PAUSED: "Nothing is planned while it is paused.",
}


def _retrying(run: Run, last: Attempt | None) -> Verdict:
    if not run.attempts:  # put off in the middle of its attempt
        return Verdict("Part of it is done.", "The rest goes on", then="due")
    return Verdict(_plainly(last), f"Attempt {run.attempts + 1} comes", then="due")


def _plainly(last: Attempt | None) -> str:
    return last.error if last and last.error else "The last attempt failed."


def _success(run: Run, attempts: Sequence[Attempt]) -> str:
    """What came of it, and how long it took: of one attempt as the table below says it, of more with the waits."""
    last = attempts[-1] if attempts else None
    answer = shown_as(run.kind).answer(last.result or {}, last.error_class) if last else ""
    took = last.duration_ms if last and len(attempts) == 1 else took_ms(run)
    said = f"{answer or 'done'}{f' after {words.duration(took)}' if took is not None else ''}."
    return said[0].upper() + said[1:]


def _on_the_way(attempts: Sequence[Attempt]) -> str:
    failed = sum(not one.ok for one in attempts)
    return f"{_times(failed)} before that it failed: {attempts[0].error}" if failed else ""


def _before_the_end(run: Run) -> str:
    if not run.started_at:
        return "It had not begun."
    return "If a call was under way, it may have reached its endpoint." if not run.attempts else ""


# What the engine itself ends, by how it says so, and what that means.
_ENGINE = {
    "Superseded": "A retry never waits beyond the next occurrence of its schedule.",
    "Lost": "Look at the workers' logs: this run may be what ends them.",
}


def _failure(run: Run, attempts: Sequence[Attempt]) -> Verdict:
    last = attempts[-1] if attempts else None
    for beginning, meaning in _ENGINE.items():
        if run.error.startswith(beginning):
            return Verdict(run.error, meaning, "bad")
    if last is None or last.ok:
        return Verdict(run.error or "It failed.", tone="bad")
    alike = len({one.error for one in attempts}) == 1
    took = took_ms(run)
    within = f" in {words.duration(took)}" if took is not None else ""
    said = last.error or run.error or "It failed."
    if len(attempts) > 1 and alike:
        said = f"{said.removesuffix('.')}, {_times(len(attempts)).lower()}{within}."
    elif len(attempts) > 1:
        said = f"{said} That was attempt {last.number}; those before it failed in other ways."
    return Verdict(said, shown_as(run.kind).advice(last), "bad")


_WORDS = {1: "Once", 2: "Twice"}


def _times(count: int) -> str:
    return _WORDS.get(count) or f"{count} times"


def lateness(run: Run) -> str:
    """`38 ms late`; empty before it began."""
    late = late_ms(run)
    return "" if late is None else f"{words.duration(late)} late"
