"""Making and changing a job in a form, its preview, and a call or an event to try it out."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from badgerjobs.lib import words, zones
from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.models import Runnable
from badgerjobs.runs.previews import Preview, preview_of_typed
from badgerjobs.runs.saying import next_runs
from badgerjobs.web.definitions.form_pages import added_row
from badgerjobs.web.definitions.named_form import CHANGED_MEANWHILE, fill_in, typed
from badgerjobs.web.definitions.rows import add_or_remove
from badgerjobs.web.pages import PageRequest, actor_of, application_page, only_posted, show
from badgerjobs.web.problems import Conflict, Invalid
from badgerjobs.web.trials import TooManyTrialsError
from badgerjobs.workspaces.models import Application, Role
from jobs.events.page_trials import tried
from jobs.forms import JobForm
from jobs.initial import initial_like, initial_new, initial_of, retries_of
from jobs.models import KIND, Event, Job
from jobs.perform import request_of
from jobs.seen import changed, seen_anew, seen_of
from jobs.services import EVENT_GONE, create_job, headers_to_keep, update_job
from jobs.standing import is_cancelled
from jobs.trial_calls import try_call

PAGE = "jobs/edit.html"
# So many events are offered; the tag of any other may be typed.
OFFERED = 500


@application_page(Role.EDITOR)
def new(request: PageRequest, application: Application) -> HttpResponse:
    """A new job; with `?from=TAG`, one like that; with `?event=TAG`, one that performs this event."""
    if request.method == "POST":
        return _sent(request, application, None)
    like = request.GET.get("from")
    if like:
        initial = initial_like(_job(application, like), application)
    else:
        initial = initial_new(application, event_tag=request.GET.get("event", ""))
    form = JobForm(initial=initial, application=application)
    form.focus("name")
    return _page(request, application, None, form)


@application_page(Role.EDITOR)
def edit(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Change a job."""
    job = _job(application, tag)
    if request.method == "POST":
        return _sent(request, application, job)
    planned = partial(next_runs, job.runnable, timezone.now())
    return _page(request, application, job, _form_of(application, job), preview=planned)


@application_page(Role.EDITOR)
@only_posted
def preview(request: PageRequest, application: Application) -> HttpResponse:
    """The next runs of a schedule that is being typed; with `?job=TAG`, of one that this job may have already."""
    tag = request.GET.get("job")
    job = _job(application, tag) if tag else None
    shown = _preview(request.POST, application, job.runnable if job else None)
    context = {"preview": shown, "job": job, "is_changed": True}
    return show(request, "jobs/edit/preview.html", context)


@application_page(Role.EDITOR)
@only_posted
def test(request: PageRequest, application: Application) -> HttpResponse:
    """Call or perform what the form says, as it stands; with `?job=TAG`, stars are what that job has stored."""
    tag = request.GET.get("job")
    job = _job(application, tag) if tag else None
    form = JobForm(request.POST, job=job, application=application)
    form.is_valid()
    answer = (_tried if form.calls else _performed)(request, application, form, job)
    begun = JobForm(initial=typed(JobForm.base_fields, request.POST), job=job, application=application)
    return _page(request, application, job, begun, is_changed=True, **answer)


def _sent(request: PageRequest, application: Application, job: Job | None) -> HttpResponse:
    """Save it, unless a button asked for something else that the form does."""
    do = request.POST.get("do", "")
    data = request.POST.copy()
    if do == "preview" or add_or_remove(data, do):
        begun = JobForm(initial=typed(JobForm.base_fields, data), job=job, application=application)
        return _page(request, application, job, begun, is_changed=True, added=added_row(do))
    is_filled = fill_in(data, do)
    form = JobForm(data, job=job, application=application)
    form.seen = data.get("seen", "")
    if not is_filled and form.is_valid():
        saved = _saved(request, application, form, job)
        if saved:
            messages.success(request, _first_run(saved))
            return redirect("jobs:job", application.slug, saved.tag)
    if wrong := form.wrong():
        form.focus(wrong[0][0])
    return _page(request, application, job, form, is_changed=True)


def _saved(request: PageRequest, application: Application, form: JobForm, job: Job | None) -> Job | None:
    """The job, made or changed. None when something stands against it that only the service sees."""
    fields = dict(form.told.validated_data)
    tag = fields.pop("tag", None)
    by, now = actor_of(request), database_now()
    try:
        if job:
            fields, clashing = changed(fields, form.seen, job)
            if not clashing:
                return update_job(job=job, by=by, now=now, **fields)
            form.seen = seen_anew(form.seen, job, clashing)
            for name in clashing:
                form.refuse(name, CHANGED_MEANWHILE)
            return None
        return create_job(application=application, tag=tag, by=by, now=now, **fields)
    except Conflict as error:
        taken = f"There is a job with the tag “{tag}” already: give this one another."
        if error.detail == EVENT_GONE:
            form.refuse("event_tag", EVENT_GONE)
        elif job:
            form.refuse("", str(error.detail))
        else:
            form.refuse("tag" if form.cleaned_data["tag"] else "name", taken)
    except Invalid as error:
        for name, said in _sentences(error).items():
            form.refuse(name, said)
    return None


def _sentences(error: Invalid) -> dict[str, str]:
    details: Any = error.detail
    return {field: str(said[0]) for field, said in details.items()}


def _tried(request: PageRequest, application: Application, form: JobForm, job: Job | None) -> dict[str, Any]:
    """What the part `#test` shows: what came of the call, or why there was none."""
    call = form.call()
    if call is None:
        return _refused(form)
    try:
        headers = headers_to_keep(job, call)["headers"] if job else call["headers"]
        trial = try_call(
            application=application,
            request=request_of(application, {**call, "headers": headers}),
            subject=job.tag if job else form.cleaned_data.get("tag") or form.cleaned_data.get("name") or "a new job",
            by=actor_of(request),
            now=database_now(),
        )
    except Invalid as error:
        return {"refused": list(_sentences(error).values())}
    except TooManyTrialsError as error:
        return {"refused": [str(error)]}
    return {"trial": trial}


def _performed(request: PageRequest, application: Application, form: JobForm, _: Job | None) -> dict[str, Any]:
    """The same of an event, performed once with the input that was typed."""
    event = form.event()
    if event is None:
        return _refused(form)
    event.application = application
    return tried(request, event, None, form.cleaned_data["input"])


def _refused(form: JobForm) -> dict[str, Any]:
    said = [sentence for name in form.tried_fields for sentence in form.errors.get(name, [])]
    return {"refused": said}


def _page(request: PageRequest, application: Application, job: Job | None, form: JobForm, **more: Any) -> HttpResponse:
    """The form, with what belongs beside it."""
    tested = reverse("jobs:test", args=[application.slug])
    jobs = reverse("jobs:list", args=[application.slug])
    data = form.data if form.is_bound else form.initial
    context = {
        "form": form,
        "job": job,
        "row": job,
        "what": "job",
        "list": jobs,
        "back": reverse("jobs:job", args=[application.slug, job.tag]) if job else jobs,
        "preview": partial(_preview, data, application, form.runnable),
        "seen": form.seen or request.POST.get("seen") or (seen_of(job) if job else ""),
        "address": _address(application, job),
        "tested": f"{tested}?{urlencode({'job': job.tag})}" if job else tested,
        "retries": retries_of(application, job.runnable if job else None),
        "zones": zones.names,
        "events": Event.objects.for_application(application).defer("configuration").order_by("tag")[:OFFERED],
        **more,
    }
    return show(request, PAGE, context)


def _form_of(application: Application, job: Job) -> JobForm:
    return JobForm(initial=initial_of(job, application), job=job, application=application)


def _preview(data: Mapping[str, Any], application: Application, runnable: Runnable | None) -> Preview:
    return preview_of_typed(data, timezone.now(), application=application, kind=KIND, runnable=runnable)


def _address(application: Application, job: Job | None) -> str:
    return (
        reverse("jobs:edit", args=[application.slug, job.tag]) if job else reverse("jobs:new", args=[application.slug])
    )


def _job(application: Application, tag: str) -> Job:
    return get_object_or_404(Job.objects.for_application(application).whole(), tag=tag)


def _first_run(job: Job) -> str:
    first = job.runnable.next_run_at
    if first:
        relative = words.relative((first - timezone.now()).total_seconds())
        return f"{job.name} is saved. It runs {relative}."
    if is_cancelled(job):
        return f"{job.name} is saved. It is cancelled: resume it, or press “Run now”."
    if not job.runnable.enabled:
        return f"{job.name} is saved. It is paused: resume it, or press “Run now”."
    return f"{job.name} is saved. Nothing is planned: press “Run now” whenever you want it to run."
