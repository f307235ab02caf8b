"""What is asked before something is done with a task: what `pages.ask` is to show."""

from typing import Any

from badgerjobs.lib import words
from badgerjobs.runs.models import State
from tasks.models import Task
from tasks.page import TaskPage
from tasks.showing import asks_for_body


def before_running(task: Task) -> dict[str, Any]:
    """Ask what its webhook would bring, where that decides which keys are synced."""
    text = "Its keys are synced at once, beside its schedule and whether it is enabled or not."
    if asks_for_body(task):
        text = "Give an example of what its webhook would bring: the transform reads it, and decides which keys are "
        text += "synced. They are synced for real."
    return {"title": f"Run {task.name}?", "text": text, "confirm": "Run Task", "keep": "Do not run it"}


def before_pausing(page: TaskPage) -> dict[str, Any]:
    """Ask whether that is meant."""
    waits = sum(run.state != State.RUNNING for run in page.waiting)
    text = "Neither its schedule nor its webhook runs it while it is paused; by hand it still runs. What runs goes on; "
    text += "what waits is aborted"
    text += f": {_runs_now(page, waits)}." if waits else "."
    return {"title": f"Pause {page.task.name}?", "text": text, "confirm": "Pause the task", "keep": "Keep it running"}


def before_rotating(task: Task) -> dict[str, Any]:
    """Ask whether that is meant."""
    text = "The URL that your data source calls now leads nowhere from that moment on: give it the new one. "
    text += "On the page of its webhook you can say for how long both work."
    return {
        "title": f"Give {task.name} another URL?",
        "text": text,
        "confirm": "Rotate the URL",
        "keep": "Keep the URL",
        "danger": True,
    }


def before_deleting(page: TaskPage) -> dict[str, Any]:
    """Ask whether that is meant."""
    ended = sum(page.ended_counts.values())
    gone = f"more than {ended:,} runs and their logs" if page.is_counted_in_part else _runs_with_logs(ended)
    waits = len(page.waiting)
    text = f"What waits or runs is aborted: {_runs_now(page, waits)}. " if waits else ""
    text += f"With it {'goes' if ended == 1 else 'go'} {gone}. Its keys and their values stay."
    hook = " The URL of its webhook answers nobody any more." if page.task.type == "webhook" else ""
    return {
        "title": f"Delete {page.task.name}?",
        "text": f"{text}{hook} There is no way back.",
        "confirm": "Delete the task",
        "keep": "Keep it",
        "danger": True,
    }


def _runs_now(page: TaskPage, count: int) -> str:
    """Of many only the first are looked at."""
    return f"{'at least ' if page.is_waiting_cut else ''}{words.counted(count, 'run')} now"


def _runs_with_logs(count: int) -> str:
    return f"{words.counted(count, 'run')} and {'its log' if count == 1 else 'their logs'}"
