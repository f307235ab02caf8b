"""The list of background tasks, the page of one, and what can be done from there."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.addressed_lists import here, list_address, live_list
from badgerjobs.web.cursors import page_of
from badgerjobs.web.one_moment import one_moment
from badgerjobs.web.pages import PageRequest, actor_of, application_page, ask, only_posted, show
from badgerjobs.workspaces.models import Application, Role
from tasks.background import services
from tasks.background.bulk import ABORT, DELETE, Doing, ask_about
from tasks.background.definition_views import IS_THERE
from tasks.background.definitions import public_definitions
from tasks.background.errors import BackgroundTaskError
from tasks.background.filters import BackgroundFilters
from tasks.background.page import BackgroundPage
from tasks.background.rows import definitions_to_choose, rows_of, stamp_of
from tasks.background.standing import status_of
from tasks.models import BackgroundRun

# So many a page of the list has.
ROWS = 50


@require_safe
@application_page(Role.VIEWER)
@one_moment()
def list_tasks(request: PageRequest, application: Application) -> HttpResponse:
    """The background tasks of the application, newest first; narrowed by what the address says."""
    filters = BackgroundFilters.read(request.GET)
    return live_list(
        request,
        "tasks/background/list.html",
        lambda: _listed(request, application, filters),
        address=list_address(request, filters),
        misread=bool(filters.unread),
    )


def _listed(request: PageRequest, application: Application, filters: BackgroundFilters) -> dict[str, Any]:
    cursor = request.GET.get("cursor", "")
    its = filters.narrow(BackgroundRun.objects.for_application(application), application)
    page = page_of(filters.sortable(its.brief()), order=filters.order, cursor=cursor, size=ROWS)
    rows = rows_of(page.rows)
    return {
        "filters": filters,
        "fields": lambda: filters.fields(definitions_to_choose(application, filters.definition)),
        "has_definitions": bool(public_definitions()),
        "page": page,
        "rows": rows,
        "has_rows": rows or filters.is_narrow or cursor,
        "stamp": stamp_of(rows),
        "is_first": not page.earlier,
        "here": here(request, filters),
    }


@require_safe
@application_page(Role.VIEWER)
def show_task(request: PageRequest, application: Application, run_id: UUID) -> HttpResponse:
    """Where one stands or what became of it, its input, output, children and log."""
    with one_moment():
        background = found_task(application, run_id)
        page = BackgroundPage(application, background, cursor=request.GET.get("lines", ""), now=timezone.now())
        stamp = page.log_stamp if request.headers.get("HX-Target") == "log" else page.stamp
        if request.GET.get("seen") == stamp:
            return HttpResponse(status=204)
        context = {"page": page, "row": page.row, "run": page.run, "background": background}
        return show(request, "tasks/background/task.html", context)


@application_page(Role.EDITOR)
def abort(request: PageRequest, application: Application, run_id: UUID) -> HttpResponse:
    """Ask, then stop one that is not over; with what it triggered, unless that is to be spared."""
    return _one(request, application, run_id, ABORT)


@application_page(Role.EDITOR)
def delete(request: PageRequest, application: Application, run_id: UUID) -> HttpResponse:
    """Ask, then delete one that is over, with its log."""
    return _one(request, application, run_id, DELETE)


def _one(request: PageRequest, application: Application, run_id: UUID, doing: Doing) -> HttpResponse:
    background = found_task(application, run_id)
    back = reverse("background:task", args=[application.slug, run_id])
    form = doing.form_of(request)
    if request.method != "POST" or (form and not form.is_valid()):
        return ask(request, back=back, danger=True, form=form, **doing.question_of_one(background.name))
    more = form.cleaned_data if form else {}
    if not doing.act(application=application, ids=[run_id], by=actor_of(request), now=database_now(), **more):
        messages.warning(request, doing.kept if status_of(background.run) in doing.statuses else doing.none)
        return redirect(back)
    messages.success(request, f"{background.name} is {doing.done.lower()}.")
    return redirect("background:list", application.slug) if doing is DELETE else redirect(back)


@application_page(Role.EDITOR)
def abort_many(request: PageRequest, application: Application) -> HttpResponse:
    """Abort those that were ticked, or all that match, as far as they are not over."""
    return ask_about(request, application, ABORT)


@application_page(Role.EDITOR)
def delete_many(request: PageRequest, application: Application) -> HttpResponse:
    """Delete those that were ticked, or all that match, as far as they are over."""
    return ask_about(request, application, DELETE)


@application_page(Role.EDITOR)
@only_posted
def again(request: PageRequest, application: Application, run_id: UUID) -> HttpResponse:
    """Trigger the same once more, with the input that it was triggered with, and go to the new one."""
    background = found_task(application, run_id)
    try:
        made = services.trigger(
            application, background.definition, background.given, name=background.name, by=actor_of(request),
            public_only=True,
        )  # fmt: skip
    except BackgroundTaskError as refused:
        messages.error(request, str(refused))
        return redirect("background:task", application.slug, run_id)
    if made.was_there:
        messages.info(request, IS_THERE)
    else:
        messages.success(request, f"{made.name} is triggered once more, with the same input.")
    return redirect("background:task", application.slug, made.id)


def found_task(application: Application, run_id: UUID) -> BackgroundRun:
    """The background task of the address, its run loaded, or a 404."""
    its = BackgroundRun.objects.for_application(application).select_related("run")
    background: BackgroundRun = get_object_or_404(its, pk=run_id)
    background.application = background.run.application = application
    return background
