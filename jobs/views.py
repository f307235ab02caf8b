"""The list of jobs, the page of a job, and what can be done from there."""

import re
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.backfill import runs_to_make
from badgerjobs.runs.backfill_form import BackfillForm, begun_with
from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.models import Run
from badgerjobs.runs.pause_form import PauseForm
from badgerjobs.web.cursors import Page, page_of
from badgerjobs.web.definitions.list_pages import filtered_page
from badgerjobs.web.one_moment import one_moment
from badgerjobs.web.pages import PageRequest, actor_of, application_page, ask, only_posted, show
from badgerjobs.web.problems import Conflict, Invalid
from badgerjobs.workspaces.models import Application, Role
from jobs import job_questions
from jobs.background_schedules import delete_with_event, event_made_with
from jobs.bulk import MOST, VERBS, pause_jobs, resume_jobs
from jobs.bulk_question import BUTTONS, Choice
from jobs.filters import JobFilters
from jobs.models import Job
from jobs.page import JobPage, ended
from jobs.querysets import JobQuerySet
from jobs.services import backfill_job, delete_job, run_job
from jobs.showing import rows_of
from jobs.standing import is_cancelled

# So many results a page of a job has.
RESULTS = 25


@application_page(Role.VIEWER)
def list_jobs(request: PageRequest, application: Application) -> HttpResponse:
    """The jobs that the address asks for, fifty at a time."""
    filters = JobFilters.read(request.GET)
    jobs = Job.objects.for_application(application).in_rows().sortable()
    matching = filters.narrow(jobs, application)
    return filtered_page(request, matching, filters, "jobs/list.html", _rows)


def _rows(page: Page[Job]) -> dict[str, Any]:
    """What the list says of each."""
    return {"rows": rows_of(page.rows, timezone.now()), "verbs": BUTTONS}


@application_page(Role.EDITOR)
def bulk(request: PageRequest, application: Application) -> HttpResponse:
    """Do something with the jobs that are ticked, or with all that match, after it was asked whether that is meant."""
    filters = JobFilters.read(request.GET)
    back = redirect(f"{_list_address(application)}{filters.query}".removesuffix("?"))
    if request.method != "POST":
        return back
    choice = Choice.read(request.POST)
    named = choice.narrow(filters.narrow(Job.objects.for_application(application), application))
    jobs = choice.without_those_left_out(named)
    ids = list(jobs.values_list("pk", flat=True)[: MOST + 1])
    if refusal := choice.refusal(len(ids), named):
        messages.warning(request, refusal)
        return back
    now = database_now()
    form = choice.form(request.POST, now)
    if not choice.is_confirmed(len(ids)) or (form and not form.is_valid()):
        return ask(request, back=back.url, form=form, **choice.question(ids, _some_names(jobs), named))
    more = form.cleaned_data if form else {}
    done = VERBS[choice.verb](application=application, ids=ids, by=actor_of(request), now=now, **more)
    messages.success(request, choice.said(done, of=len(ids)))
    return back


@application_page(Role.VIEWER)
def show_job(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """When it runs, what waits and runs, and how its runs ended."""
    with one_moment():
        return _page_of(request, application, JobPage(found(application, tag), timezone.now()))


def _page_of(request: PageRequest, application: Application, page: JobPage) -> HttpResponse:
    state = request.GET.get("state", "")
    runs = Run.objects.for_application(application).of(page.job.runnable_id)
    context = {
        "job": page.job,
        "page": page,
        "address": _address_of(application, page.job),
        "state": state if state in JobPage.FILTERS else "",
        "filters": JobPage.FILTERS,
        "results": lambda: page.results(
            page_of(ended(runs, state), order="-pk", cursor=request.GET.get("cursor", ""), size=RESULTS)
        ),
    }
    response = show(request, "jobs/job.html", context)
    # What listens to this brings the other parts of the page up to date.
    if request.headers.get("HX-Target") == "waiting" and request.headers.get("X-Seen") != page.mark:
        response["HX-Trigger"] = "moved"
    return response


@application_page(Role.EDITOR)
@only_posted
def run(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Run it now, beside its schedule."""
    job = found(application, tag)
    try:
        made = run_job(job=job, by=actor_of(request), now=database_now())
        messages.success(request, f"Run {made.number} waits for a free slot.")
    except Conflict as gone:
        messages.error(request, str(gone.detail))
    return redirect("jobs:job", application.slug, tag)


@application_page(Role.EDITOR)
def backfill(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Ask for which time, then whether so many are meant, then run its past occurrences that have no run."""
    job, now = found(application, tag), database_now()
    page, back = JobPage(job, now), _address_of(application, job)
    form = BackfillForm(request.POST or None, zone=page.zone, initial=begun_with(request.GET, page.zone))
    occurrences = _to_run(job, form, now) if form.is_valid() else []
    if not occurrences:
        return ask(request, back=back, form=form, **job_questions.before_backfilling(page))
    asked = request.POST.get("asked", "")
    if len(occurrences) > (int(asked) if re.fullmatch(r"[0-9]{1,8}", asked) else 0):
        question = job_questions.about_backfill(page, occurrences, form.cleaned_data["per_minute"])
        return ask(request, back=back, hidden={**form.hidden(), "asked": [str(len(occurrences))]}, **question)
    count = backfill_job(job=job, by=actor_of(request), now=now, **form.cleaned_data)
    messages.success(request, f"{count:,} {'run is' if count == 1 else 'runs are'} made of what has passed.")
    return redirect("jobs:job", application.slug, tag)


def _to_run(job: Job, form: BackfillForm, now: datetime) -> list[datetime]:
    """The occurrences that are meant; none where the form has something to say instead."""
    since, until = form.cleaned_data["since"], form.cleaned_data["until"]
    try:
        found = runs_to_make(job.runnable, since=since, until=until, now=now, missed=form.cleaned_data["missed"])
    except Invalid as refused:
        for name, said in refused.detail.items():  # type: ignore[union-attr]  # a dict of fields
            form.add_error(name, [str(one) for one in said])
        return []
    if not found:
        form.add_error(
            None, "No occurrence in this time is without a run. Those that were aborted or failed can be replayed."
        )
    return found


@application_page(Role.EDITOR)
def pause(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Ask why and until when, then plan nothing until then."""
    job, now = found(application, tag), database_now()
    if is_cancelled(job):
        messages.warning(request, "This job was cancelled: resume it first.")
        return redirect("jobs:job", application.slug, tag)
    form = PauseForm(request.POST if request.method == "POST" else None, now=now)
    if not form.is_valid():
        question = job_questions.before_pausing(JobPage(job, now))
        return ask(request, back=_address_of(application, job), form=form, **question)
    if pause_jobs(application=application, ids=[job.pk], by=actor_of(request), now=now, **form.cleaned_data):
        messages.success(request, "Paused. Nothing is planned meanwhile; what runs now goes on.")
    else:
        messages.warning(request, "It was paused already, and stays so as it is.")
    return redirect("jobs:job", application.slug, tag)


@application_page(Role.EDITOR)
@only_posted
def resume(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Plan its next run."""
    job = found(application, tag)
    resume_jobs(application=application, ids=[job.pk], by=actor_of(request), now=database_now())
    messages.success(request, "Resumed. Its next runs are below.")
    return redirect("jobs:job", application.slug, tag)


@application_page(Role.EDITOR)
def delete(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Delete it with its runs and results, and with the event that was made with it, after that was asked."""
    job = found(application, tag)
    event = event_made_with(job)
    if request.method != "POST":
        question = job_questions.before_deleting(JobPage(job, timezone.now()), event)
        return ask(request, back=_address_of(application, job), **question)
    by, now = actor_of(request), database_now()
    if event and request.POST.get("event") == event.tag:  # as the question named it
        delete_with_event(job=job, event=event, by=by, now=now)
        messages.success(request, f"{job.name} is deleted, with its event, its runs and results.")
    else:
        delete_job(job=job, by=by, now=now)
        messages.success(request, f"{job.name} is deleted, with its runs and results.")
    return redirect("jobs:list", application.slug)


def found(application: Application, tag: str) -> Job:
    """The job of the address, or a 404."""
    job: Job = get_object_or_404(Job.objects.for_application(application).whole(), tag=tag)
    job.application = application
    return job


def _some_names(jobs: JobQuerySet) -> list[str]:
    return list(jobs.order_by("name", "pk").values_list("name", flat=True)[:5])


def _list_address(application: Application) -> str:
    return reverse("jobs:list", args=[application.slug])


def _address_of(application: Application, job: Job) -> str:
    return reverse("jobs:job", args=[application.slug, job.tag])
