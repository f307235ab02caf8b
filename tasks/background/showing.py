"""What the pages of the engine show of runs of background tasks and of their hooks: where each is told of in whole."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.urls import reverse

from badgerjobs.runs.models import Attempt, Run
from badgerjobs.runs.shown import Parts, Shown
from badgerjobs.web.typed import uuid_of
from tasks.background.definitions import definition_of
from tasks.background.rows import percent_of
from tasks.background.words import HOOKS
from tasks.models import BackgroundRun

# The classes of what can be wrong with such a run, in words.
ERRORS = {
    "code": "code that failed",
    "crashed": "a process that ended",
    "max_iterations": "too many iterations",
    "definition": "no definition",
}
ADVICE = {
    "code": "Its log says what the code said. What the iterations before it did is kept.",
    "crashed": "Its process ended in the middle of an iteration: the worker's log may say why.",
    "timeout": "Let an iteration do less, and continue in the next one; or give its definition a longer time limit.",
    "max_iterations": "Its definition says how many it may make. Does it ever answer that it is done?",
    "definition": "Name the package that has it in BACKGROUND_TASKS, and start the workers anew.",
}

# What a task is called that was deleted.
GONE = "A background task"


def no_answer(_result: Mapping[str, Any], _error_class: str) -> str:
    """Attempts have no results of their own: the log tells."""
    return ""


def no_exchange(_run: Run, _attempt: Attempt | None) -> None:
    """Nothing goes out and nothing comes back."""


def advice_on(attempt: Attempt) -> str:
    """What may help."""
    return ADVICE.get(attempt.error_class, "")


def no_content(_result: Mapping[str, Any]) -> bytes:
    return b""


def page_of(run: Run) -> str:
    """The address of its own page."""
    return _address(run, run.pk)


def page_of_hook(run: Run) -> str:
    """That of the background task that is over; empty where it was deleted."""
    its = _task_of(run)
    rows = BackgroundRun.objects.for_application(run.application)
    return _address(run, its) if its and rows.filter(pk=its).exists() else ""


def parts_of(run: Run) -> Parts | None:
    """How far it is, and where its input, output and log are."""
    row = BackgroundRun.objects.for_application(run.application).filter(pk=run.pk).defer("given").first()
    if row is None:
        return None
    definition = definition_of(row.definition)
    most = f" of {definition.max_iterations:,} at most" if definition else ""
    facts = [("Definition", row.definition), ("Iterations", f"{row.iterations:,}{most}")]
    if row.progress is not None:
        facts.append(("Progress", f"{percent_of(row.progress)} %"))
    if row.progress_message:
        facts.append(("It says", row.progress_message))
    return Parts("Background task", facts, ("Its input, output and log", _address(run, run.pk)))


def names_of(runs: Sequence[Run]) -> dict[UUID, str]:
    """Run → its name."""
    return dict(BackgroundRun.objects.filter(pk__in=[run.pk for run in runs]).values_list("pk", "name"))


def names_of_hooks(runs: Sequence[Run]) -> dict[UUID, str]:
    """Run → of which background task it calls code, and when."""
    tasks = {run.pk: (run.application_id, its) for run in runs if (its := _task_of(run))}
    rows = BackgroundRun.objects.filter(pk__in={its for _, its in tasks.values()})
    names = {(owner, its): name for owner, its, name in rows.values_list("application_id", "pk", "name")}
    return {run.pk: f"{names.get(tasks[run.pk], GONE)}, {_when(run)}" for run in runs if run.pk in tasks}


def _when(run: Run) -> str:
    given: Any = run.input
    hooks = given.get("hooks") or [""]
    return HOOKS.get(hooks[0], "which is deleted")


def _task_of(run: Run) -> UUID | None:
    given: Any = run.input
    return uuid_of(str(given.get("run", ""))) if isinstance(given, dict) else None


def _address(run: Run, task: UUID) -> str:
    return reverse("background:task", args=[run.application.slug, task])


BACKGROUND = Shown(
    "background task", no_answer, no_exchange, advice_on, no_content, page_of, parts=parts_of, subjects=names_of,
    errors=ERRORS,
)  # fmt: skip
BACKGROUND_HOOK = Shown(
    "hook of a background task", no_answer, no_exchange, advice_on, no_content, page_of_hook, subjects=names_of_hooks
)
