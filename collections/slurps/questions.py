"""What is asked before something is done with an async job: what `pages.ask` is to show."""

from typing import Any

from badgerjobs.lib import words
from badgerjobs.runs.models import State
from slurps.page import AsyncJobPage


def before_running(page: AsyncJobPage) -> dict[str, Any]:
    """Ask for what its sources ask for; of any other job, who loads this is asked too."""
    text = "It runs at once, beside its schedule and whether it is enabled or not. "
    if page.variables:
        text = f"Its sources ask for {words.counted(len(page.variables), 'value')}: give what this run is to pull. "
    goes = f"Its rows go into {page.active.name}." if page.active else "No collection is active: nothing is stored."
    return {"title": f"Run {page.job.name}?", "text": text + goes, "confirm": "Run now", "keep": "Do not run it"}


def before_pausing(page: AsyncJobPage) -> dict[str, Any]:
    """Ask whether that is meant."""
    waits = sum(run.state != State.RUNNING for run in page.waiting)
    text = "Its schedule does not run it while it is paused; by hand it still runs. What runs goes on; what waits is "
    text += f"aborted: {_runs_now(page, waits)}." if waits else "aborted."
    return {"title": f"Pause {page.job.name}?", "text": text, "confirm": "Pause the job", "keep": "Keep it running"}


def before_forgetting(page: AsyncJobPage) -> dict[str, Any]:
    """Ask whether that is meant."""
    known = ", ".join(page.remembered)
    return {
        "title": f"Have {page.job.name} pull everything anew?",
        "text": f"What is remembered of {known} to go on from is forgotten: the next run pulls all that they have. "
        "Rows that are there stay.",
        "confirm": "Forget it",
        "keep": "Keep it",
    }


def before_deleting(page: AsyncJobPage) -> dict[str, Any]:
    """Ask whether that is meant."""
    ended = sum(page.ended_counts.values())
    runs = f"more than {ended:,} runs" if page.is_counted_in_part else words.counted(ended, "run")
    waits = len(page.waiting)
    text = f"What waits or runs is aborted: {_runs_now(page, waits)}. " if waits else ""
    gone = [runs, *(f"the collection {one.name}" for one in page.collections[:5])]
    if more := len(page.collections) - 5:
        gone += [words.counted(more, "more collection")] if more > 0 else []
    text += f"With it go {' and '.join(filter(None, [', '.join(gone[:-1]), gone[-1]]))}. "
    rows = sum(one.current.rows for one in page.collections if one.current)
    text += f"Their readers find {words.counted(rows, 'row')} no more. " if rows else ""
    return {
        "title": f"Delete {page.job.name}?",
        "text": f"{text}Its slurper stays. There is no way back.",
        "confirm": "Delete the job",
        "keep": "Keep it",
        "danger": True,
    }


def _runs_now(page: AsyncJobPage, count: int) -> str:
    """Of many only the first are looked at."""
    return f"{'at least ' if page.is_waiting_cut else ''}{words.counted(count, 'run')} now"
