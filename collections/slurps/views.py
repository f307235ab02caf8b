"""The list of async jobs, the page of one, and what can be done from there."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.pause_form import PauseForm
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.types import SOURCE_TYPES, type_of
from badgerjobs.web.cursors import Page
from badgerjobs.web.definitions.list_pages import filtered_page
from badgerjobs.web.one_moment import one_moment
from badgerjobs.web.pages import PageRequest, actor_of, application_page, ask, only_posted, show
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.models import Application, Role
from slurps import questions, services
from slurps.filters import JobFilters
from slurps.models import AsyncJob, Slurper
from slurps.page import AsyncJobPage
from slurps.rows import rows_of
from slurps.run_form import ValuesForm


@application_page(Role.VIEWER)
def list_jobs(request: PageRequest, application: Application) -> HttpResponse:
    """The async jobs that the address asks for, fifty at a time."""
    filters = JobFilters.read(request.GET)
    matching = filters.narrow(AsyncJob.objects.for_application(application).in_rows().sortable(), application)
    return filtered_page(request, matching, filters, "collections/list.html", partial(_rows, application))


def _rows(application: Application, page: Page[AsyncJob]) -> dict[str, Any]:
    """What the list says of each. Whoever has no source or no slurper yet begins with one."""
    with_rows = [name for name in SOURCE_TYPES if type_of(name).pull is not None]
    sources = DataSource.objects.for_application(application).filter(type__in=with_rows)
    return {
        "rows": rows_of(application, page.rows, timezone.now()),
        "has_slurpers": Slurper.objects.for_application(application).exists,
        "has_sources": sources.exists,
    }


@application_page(Role.VIEWER)
def show_job(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """What it pulls and where that goes, when it runs, and its runs."""
    with one_moment():
        page = AsyncJobPage(found_job(application, tag), timezone.now())
        context = {
            "job": page.job,
            "page": page,
            "address": address_of(application, page.job),
            "runs": lambda: page.run_page(request.GET.get("cursor", "")),
        }
        response = show(request, "collections/job.html", context)
        # What listens to this brings the other parts of the page up to date.
        if request.headers.get("HX-Target") == "runs" and request.headers.get("X-Seen") != page.mark:
            response["HX-Trigger"] = "moved"
        return response


@application_page(Role.EDITOR)
def run(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Run it now. Where its sources ask for values, ask for those first; of any other, who loads this."""
    job = found_job(application, tag)
    page = AsyncJobPage(job, timezone.now())
    form = ValuesForm(request.POST if request.method == "POST" else None, names=page.variables)
    is_filled = not page.variables or any(name in request.POST for name in form.fields)
    if request.method != "POST" or not is_filled or not form.is_valid():
        back = _back(request) or address_of(application, job)
        return ask(request, back=back, form=form if page.variables else None, **questions.before_running(page))
    try:
        made = services.run_async_job(job=job, by=actor_of(request), now=database_now(), values=form.values)
    except Conflict as gone:
        messages.error(request, str(gone.detail))
        return redirect("collections:list", application.slug)
    at = reverse("runs:run", args=[application.slug, made.pk])
    said = format_html('Run {} of {} was made: <a href="{}">its log</a>.', made.number, job.name, at)
    messages.success(request, said)
    return redirect("collections:job", application.slug, tag)


@application_page(Role.EDITOR)
def pause(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Ask why and until when, then plan nothing until then."""
    job, now = found_job(application, tag), database_now()
    form = PauseForm(request.POST if request.method == "POST" else None, now=now)
    if not form.is_valid():
        question = questions.before_pausing(AsyncJobPage(job, now))
        return ask(request, back=address_of(application, job), form=form, **question)
    if services.pause_async_job(job=job, by=actor_of(request), now=now, **form.cleaned_data):
        messages.success(request, "Paused. Its schedule does not run it meanwhile; what runs goes on.")
    else:
        messages.warning(request, "It was paused already, and stays so as it is.")
    return redirect("collections:job", application.slug, tag)


@application_page(Role.EDITOR)
@only_posted
def resume(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Let its schedule run it again."""
    services.resume_async_job(job=found_job(application, tag), by=actor_of(request), now=database_now())
    messages.success(request, "Resumed.")
    return redirect("collections:job", application.slug, tag)


@application_page(Role.EDITOR)
def forget(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Have the next run pull all that its sources have, after it was asked whether that is meant."""
    job = found_job(application, tag)
    back = address_of(application, job)
    if not job.remembered:
        messages.warning(request, "Nothing is remembered of its sources: every run pulls all that they have.")
        return redirect(back)
    if request.method != "POST":
        return ask(request, back=back, **questions.before_forgetting(AsyncJobPage(job, timezone.now())))
    try:
        services.forget(job=job, by=actor_of(request), now=database_now())
    except Conflict as gone:
        messages.error(request, str(gone.detail))
        return redirect("collections:list", application.slug)
    messages.success(request, "Forgotten. The next run pulls all that its sources have.")
    return redirect(back)


@application_page(Role.EDITOR)
def delete(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Delete it with its runs and collections, after it was asked whether that is meant. Its slurper stays."""
    job = found_job(application, tag)
    if request.method != "POST":
        question = questions.before_deleting(AsyncJobPage(job, timezone.now()))
        return ask(request, back=address_of(application, job), **question)
    services.delete_async_job(job=job, by=actor_of(request), now=database_now())
    messages.success(request, f"{job.name} is deleted, with its runs and collections. Its slurper stays.")
    return redirect("collections:list", application.slug)


def found_job(application: Application, tag: str) -> AsyncJob:
    """The async job of the address, or a 404."""
    job: AsyncJob = get_object_or_404(AsyncJob.objects.for_application(application).whole(), tag=tag)
    job.application = application
    return job


def address_of(application: Application, job: AsyncJob) -> str:
    """The address of its page."""
    return reverse("collections:job", args=[application.slug, job.tag])


def _back(request: PageRequest) -> str:
    """To the list, where the question was asked from there."""
    return reverse("collections:list", args=[request.application.slug]) if "list" in request.GET else ""
