"""What each policy means, in the words of docs/time.md: beside the choices of a form, and on the page of what runs."""

from collections.abc import Iterator
from datetime import tzinfo

from badgerjobs.lib import durations, words
from badgerjobs.runs.models import CatchUp, Overlap, Runnable

# What is done with an occurrence that comes while the run before it is not over.
OVERLAP = {
    Overlap.SKIP: "The new occurrence is skipped, and the ledger says so.",
    Overlap.QUEUE_ONE: "It waits until that run is over; a second one that comes meanwhile is skipped.",
    Overlap.QUEUE_ALL: "It waits, and so do all that come meanwhile; they run one after the other.",
    Overlap.CANCEL_RUNNING: "It runs; the one before it, queued or running, is aborted.",
    Overlap.ALLOW: "It runs at its time, however many are not over.",
}
# What is run of the occurrences whose time passed while nothing was dispatched.
CATCH_UP = {
    CatchUp.LATEST: "The last of them is run; those before it are skipped as missed.",
    CatchUp.NONE: "They are skipped as missed; only the last one is run, if it is due at most a minute ago.",
    CatchUp.ALL: "Each of them is run, the oldest first; needs “Let all wait” or “Run beside it” above.",
}
# What becomes of an occurrence that comes while runs of the past ones, `{}`, are not over.
BESIDE_BACKFILL = {
    Overlap.SKIP: "An occurrence of the schedule that comes while {} queued or running is skipped",
    Overlap.QUEUE_ONE: "Of the schedule, one occurrence that comes while {} queued or running waits, more are not run",
    Overlap.QUEUE_ALL: "Occurrences of the schedule that come while {} queued or running wait until that is over",
    Overlap.CANCEL_RUNNING: "An occurrence of the schedule that comes while {} queued or running waits, and takes the"
    " place of the one that waits already",
}
# Of what runs, in half a sentence.
_OVERLAPS = {
    Overlap.SKIP: "while a run is not over, the next is skipped",
    Overlap.QUEUE_ONE: "while a run is not over, one more waits, and others are skipped",
    Overlap.QUEUE_ALL: "while a run is not over, the next ones wait, and run one after the other",
    Overlap.CANCEL_RUNNING: "while a run is not over, the next one takes its place, and it is aborted",
    Overlap.ALLOW: "while a run is not over, the next ones run beside it",
}
_CATCHES_UP = {
    CatchUp.LATEST: "of what was missed, the latest is run",
    CatchUp.NONE: "what was missed is not run",
    CatchUp.ALL: "what was missed is run, the oldest first",
}
_USUAL = Runnable()


def policies_in_words(runnable: Runnable, zone: tzinfo) -> Iterator[tuple[str, str]]:
    """Name and sentence of each policy that is not as it is unless told otherwise."""
    if ends := _ends(runnable, zone):
        yield "Ends", ends
    if runnable.overlap != _USUAL.overlap:
        yield "Overlap", _OVERLAPS[Overlap(runnable.overlap)]
    if runnable.catch_up != _USUAL.catch_up or runnable.catch_up_within_s:
        within = runnable.catch_up_within_s
        limit = f", if it was due at most {_length(within)} before" if within else ""
        yield "Catch-up", _CATCHES_UP[CatchUp(runnable.catch_up)] + limit
    if spread := spread_in_words(runnable):
        yield "Spread", spread
    if runnable.priority != _USUAL.priority:
        yield "Priority", f"{runnable.priority} of 100; lower goes first, {_USUAL.priority} is usual"


def beside_backfill(runnable: Runnable, count: int) -> str:
    """How so many past occurrences go, and what that does to the schedule, where it has more to come."""
    is_one = count == 1
    if runnable.overlap == Overlap.ALLOW:
        return "It goes at once, beside the schedule." if is_one else "They go beside each other and the schedule."
    how = "It goes at once." if is_one else "They go one after the other."
    if runnable.next_run_at is None:
        return how
    meanwhile = BESIDE_BACKFILL[Overlap(runnable.overlap)].format("it is" if is_one else "one of them is")
    return f"{how} {meanwhile}: so says its policy for overlap."


def spread_in_words(runnable: Runnable) -> str:
    """`over 5 minutes: each starts 2 min 13 s after its time`; empty for none. Without a name it has no place yet."""
    if not runnable.spread_s:
        return ""
    place = f"{words.duration(runnable.offset_ms)} after" if runnable.offset_ms else "at"
    starts = f"each starts {place} its time" if runnable.name else "each starts up to so much later, as its tag has it"
    return f"over {_length(runnable.spread_s)}: {starts}"


def _ends(runnable: Runnable, zone: tzinfo) -> str:
    said = []
    if runnable.end_at:
        local = runnable.end_at.astimezone(zone)
        said.append(f"{words.day(local, zone)} {local.year} {words.clock(local, zone)} {words.place(zone)}")
    if runnable.max_runs is not None:
        said.append(f"after {words.counted(runnable.max_runs, 'run')}; {runs_made(runnable)}")
    return ", or ".join(said)


def runs_made(runnable: Runnable) -> str:
    """`12 of 100 runs made`; empty where their number has no end."""
    if runnable.max_runs is None:
        return ""
    return f"{runnable.scheduled_runs:,} of {words.counted(runnable.max_runs, 'run')} made"


def _length(seconds: int) -> str:
    return durations.parse(f"PT{seconds}S").length()
