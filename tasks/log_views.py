"""The log of a task: one line for each key that a run of it syncs."""

from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.utils import timezone

from badgerjobs.runs.models import Run
from badgerjobs.web.addressed_lists import list_address, pushed, tidied
from badgerjobs.web.cursors import page_of
from badgerjobs.web.one_moment import one_moment
from badgerjobs.web.pages import PageRequest, application_page, show
from badgerjobs.workspaces.models import Application, Role
from tasks.filters import LogFilters
from tasks.models import CacheKey, KeySync, Task
from tasks.page import RunRow, TaskPage, run_rows
from tasks.views import address_of, found_task

# So many lines a page has, and so many of the last runs stand above them.
LINES, RUNS = 50, 5
# Of all runs of a task, so many of the newest lines are searched: what is older is searched run by run.
SEARCHED = 100_000


@application_page(Role.VIEWER)
def show_logs(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """The lines that the address asks for, newest first."""
    task = found_task(application, tag)
    filters = LogFilters.read(request.GET)
    address = list_address(request, filters)
    if way := tidied(request, address):
        return way
    with one_moment():
        response = show(request, "tasks/logs.html", _context(request, application, task, filters))
    return pushed(request, response, address)


def _context(request: PageRequest, application: Application, task: Task, filters: LogFilters) -> dict[str, Any]:
    page = TaskPage(task, timezone.now())
    chosen = page.runs.filter(pk=filters.run).first() if filters.run else None
    lines = page_of(_lines(application, task, filters), order="-pk", cursor=request.GET.get("cursor", ""), size=LINES)
    # Where the run that is asked for is none of this task's, nothing is shown; and not the lines of others.
    _number(application, lines.rows)
    runs: list[RunRow] = run_rows(application, [chosen] if chosen else page.runs.order_by("-pk")[:RUNS])
    return {
        "task": task,
        "page": page,
        "filters": replace(filters, run_called=f"run {chosen.number}" if chosen else "unknown"),
        "runs": runs,
        "chosen": chosen,
        "lines": lines,
        "there": _there(application, lines.rows),
        "is_first": not lines.earlier,
        "is_searched_in_part": bool((filters.q or filters.state) and not filters.run),
        "searched": SEARCHED,
        "here": f"{request.path}{filters.query}",
        "address": address_of(application, task),
        "now": page.now,
    }


def _lines(application: Application, task: Task, filters: LogFilters) -> Any:
    lines = KeySync.objects.for_application(application).filter(runnable_id=task.runnable_id)
    if filters.run:
        return filters.narrow(lines.filter(run_id=filters.run))
    if filters.q or filters.state:
        newest = lines.order_by("-pk").values("pk")[:SEARCHED]
        return filters.narrow(KeySync.objects.for_application(application).filter(pk__in=newest))
    return lines


def _number(application: Application, lines: list[Any]) -> None:
    """Let each line have the number of its run; None where that is not kept any more."""
    runs = Run.objects.for_application(application).filter(pk__in={line.run_id for line in lines})
    numbers = dict(runs.order_by().values_list("pk", "number"))
    for line in lines:
        line.run_number = numbers.get(line.run_id)


def _there(application: Application, lines: list[Any]) -> set[int]:
    """Of the keys in these lines, those that still are there."""
    keys = CacheKey.objects.for_application(application).filter(pk__in={line.key_id for line in lines})
    return set(keys.order_by().values_list("pk", flat=True))
