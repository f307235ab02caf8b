"""What is asked before something is done with a job: what `pages.ask` is to show."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from badgerjobs.lib import words
from badgerjobs.runs.models import State
from badgerjobs.runs.policy_words import beside_backfill
from jobs.models import Event
from jobs.page import NAMED, JobPage


def before_backfilling(page: JobPage) -> dict[str, Any]:
    """Ask first which time is meant."""
    return {
        "title": f"Run past occurrences of {page.job.name}?",
        "text": "Those in this time that have no run: they were missed, skipped, or came before it was made. "
        "How many they are is said before anything is done.",
        "confirm": "Count them",
        "keep": "Leave them",
    }


def about_backfill(page: JobPage, occurrences: Sequence[datetime], per_minute: int | None) -> dict[str, Any]:
    """Say then how many they are, and how they go."""
    count, place = len(occurrences), words.place(page.zone)
    text = beside_backfill(page.runnable, count)
    if per_minute and count > 1:
        rest = words.duration((count - 1) * 60_000 / per_minute)
        text += f" At most {per_minute:,} begin in a minute: the last in {rest}, if none is held up."
    items = [f"{words.day(at, page.zone)} {words.clock(at, page.zone)} {place}" for at in occurrences[:NAMED]]
    if count > NAMED:
        items.append(f"and {count - NAMED:,} more")
    what = words.counted(count, "occurrence")
    return {"title": f"Run {what}?", "text": text, "items": items, "confirm": f"Run {what}", "keep": "Leave them"}


def before_pausing(page: JobPage) -> dict[str, Any]:
    """Ask whether that is meant."""
    waits = len([run for run in page.waiting if run.state != State.RUNNING])
    text = "Nothing is planned while it is paused. What runs goes on; what waits is aborted, also what somebody ran by"
    text += " hand, replayed or backfilled"
    text += f": {'at least ' if page.is_waiting_cut else ''}{words.counted(waits, 'run')} now." if waits else "."
    return {"title": f"Pause {page.job.name}?", "text": text, "confirm": "Pause the job", "keep": "Keep it running"}


def before_cancelling(page: JobPage) -> dict[str, Any]:
    """Ask whether that is meant."""
    goes = len(page.waiting)
    text = "Nothing is planned any more, and what waits or runs of it is aborted"
    text += f": {'at least ' if page.is_waiting_cut else ''}{words.counted(goes, 'run')} now." if goes else "."
    text += " A call that is under way may have reached its endpoint." if page.state == "running" else ""
    return {
        "title": f"Cancel {page.job.name}?",
        "text": f"{text} Its results stay, and it can be resumed.",
        "confirm": "Cancel the job",
        "keep": "Keep it",
        "danger": True,
    }


def before_deleting(page: JobPage, event: Event | None = None) -> dict[str, Any]:
    """Ask whether that is meant. `event` goes with it: it is named, and told again by who says yes."""
    ended = sum(page.ended_counts.values())
    results = f"more than {ended:,} results" if page.is_counted_in_part else words.counted(ended, "result")
    waits = words.counted(len(page.waiting), "waiting or running run")
    waits = f"At least {waits}" if page.is_waiting_cut else waits
    verb = "is" if len(page.waiting) == 1 else "are"
    text = f"{waits} {verb} aborted, and {results} " if page.waiting else f"{results[:1].upper()}{results[1:]} "
    return {
        "title": f"Delete {page.job.name}?",
        "text": f"{text}{'goes' if ended == 1 else 'go'} with it.{_of_event(event)} There is no way back.",
        "confirm": "Delete the job and its event" if event else "Delete the job",
        "keep": "Keep it",
        "danger": True,
        "hidden": {"event": [event.tag]} if event else {},
    }


def _of_event(event: Event | None) -> str:
    return f" So does its event “{event.tag}”, which nothing else performs." if event else ""
