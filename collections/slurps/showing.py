"""What pages show of runs of async jobs: how many rows came, and what became of them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse

from badgerjobs.lib import words
from badgerjobs.runs.models import Attempt, Run, State
from badgerjobs.runs.shown import Parts, Shown
from badgerjobs.workspaces.models import Application
from slurps.approvals import bring_up_to_date, said_of
from slurps.models import AsyncJob, Collection
from slurps.progress import progress_of

# The classes of what can be wrong with such a run, in words; those of calls, HTTP jobs have.
ERRORS = {
    "code": "code that failed",
    "rows": "rows that cannot be stored",
    "too_large": "too much for code at once",
    "busy": "a collection that another run fills",
    "held": "a result that waits for approval",
    "definition": "a slurper that is not there",
    "variables": "variables that are not there",
    "type": "a source of a type that does not give this",
    "file": "a file that is not there",
    "csv": "CSV that cannot be read",
    "xml": "XML that cannot be read",
    "soap": "a fault in SOAP",
    "collection": "a collection that is not there",
    "sql": "a query that the database refuses",
    "data": "a value that cannot be read",
    "encoding": "text that is not in its encoding",
    "pages": "pages that do not go on as configured",
    "loop": "pages that come again and again",
    "remember": "values that cannot be remembered",
    "database": "the database, which was away",
}
ADVICE = {
    "code": "Try the slurper over the first rows of its sources where it is edited.",
    "rows": "Let the slurper leave such rows out, or mend them.",
    "too_large": "Have the sources give less, or leave out what is long in their rows, such as files.",
    "held": "Approve or drop the result that waits, on the collection's page.",
    "definition": "Name the package that has it in SLURPERS, and start the workers anew.",
    "crashed": "Where it took too much memory, let the slurper work batch by batch, or its sources give less.",
    "variables": "Run it with a value for each placeholder of its sources.",
}
# What a run's output tells, in the order in which it is told.
_FACTS = {"read": "Read", "written": "Written", "rows": "Rows of the version"}
_DIFFERENCES = {
    "added": "Added", "changed": "Changed", "unchanged": "Unchanged", "removed": "Replaced",
    "dropped": "Values left out",
}  # fmt: skip


def answer_of(result: Mapping[str, Any], error_class: str) -> str:
    """`1,000 rows`, `1,000 rows, held`."""
    if error_class or "written" not in result:
        return ""
    said = words.counted(result["written"], "row")
    return f"{said}, held" if result.get("stage") == "held" else said


def parts_of(run: Run) -> Parts | None:
    """What it read and wrote, or has so far; None where nothing is to be told."""
    bring_up_to_date(run.application, [run])
    output = run.output
    if not isinstance(output, dict) or "read" not in output:
        return _so_far(run) if run.state == State.RUNNING else None
    facts = [("Collection", output["collection"] or "none: nothing is stored")]
    facts += [("Version", f"{output['version']:,}")] if output.get("version") else []
    facts += [("Result", said)] if (said := said_of(output)) else []
    was_shown = output.get("stage") == "ready"
    told = {name: label for name, label in _FACTS.items() if was_shown or name != "rows"}
    # Where all rows are replaced each is new: nobody has looked which are the same.
    replaced = {"removed", "dropped"} if output.get("removed") else _DIFFERENCES
    told |= {name: label for name, label in _DIFFERENCES.items() if output.get(name) and name in replaced}
    facts += [(label, f"{output[name]:,}") for name, label in told.items() if isinstance(output.get(name), int)]
    facts.append(("As JSON", words.size(output.get("bytes", 0))))
    return Parts("Rows", facts, _link_to(run, str(output["collection"] or "")))


def _link_to(run: Run, name: str) -> tuple[str, str] | None:
    """To the page of the collection, while it is there."""
    if not name or not Collection.objects.for_application(run.application).filter(name=name).exists():
        return None
    return "The collection", reverse("collections:collection", args=[run.application.slug, name])


def _so_far(run: Run) -> Parts:
    """Of a run that goes on. Rows that are only counted are told when it is over."""
    if far := progress_of(run.application, [run]).get(run.pk):
        facts = [("Collection", far.collection), ("Stage", far.said)]
        facts += [("Read", f"{far.read:,}"), ("Written", f"{far.written:,}")]
        return Parts("Rows", facts, _link_to(run, far.collection))
    filled = Collection.objects.for_application(run.application).filter(is_active=True)
    if filled.filter(async_job__runnable=run.runnable).exists():
        return Parts("Rows", [("Stage", "it begins")])
    return Parts("Rows", [("Collection", "none: rows are counted, and nothing is stored")])


def titles_of(runnable_ids: Sequence[int]) -> dict[int, str]:
    """Runnable → the name of its async job."""
    return dict(AsyncJob.objects.filter(runnable_id__in=runnable_ids).values_list("runnable_id", "name"))


def called(application: Application, letters: str) -> Any:
    """A query for the runnables of the async jobs whose name has these letters in it, in any case."""
    return AsyncJob.objects.for_application(application).filter(name__icontains=letters).values("runnable_id")


def advice_on(attempt: Attempt) -> str:
    """What may help."""
    return ADVICE.get(attempt.error_class, "")


def content_of(result: Mapping[str, Any]) -> bytes:
    """The counts, as JSON."""
    return json.dumps(result).encode()


def nothing(_run: Run, _attempt: Attempt | None) -> None:
    """No call is shown: a run makes as many as its sources have pages."""


def page_of(run: Run) -> str:
    """The address of its async job's page."""
    return reverse("collections:job", args=[run.application.slug, run.runnable.name]) if run.runnable else ""


SLURP = Shown(
    "async job", answer_of, nothing, advice_on, content_of, page_of, titles_of, called, errors=ERRORS, parts=parts_of
)
