"""Making and changing an async job in a form, with its plan beside it."""

from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from badgerjobs.lib import zones
from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.previews import Preview, preview_of_typed
from badgerjobs.runs.saying import next_runs, retries_in_words, saved_in_words, seen_of
from badgerjobs.web.definitions.named_form import fill_in, typed
from badgerjobs.web.definitions.saving import Saving
from badgerjobs.web.pages import PageRequest, application_page, only_posted, show
from badgerjobs.workspaces.models import Application, Role
from slurps.forms import AsyncJobForm, initial_like, initial_new, initial_of
from slurps.models import KIND, AsyncJob
from slurps.services import create_async_job, update_async_job
from slurps.views import address_of, found_job

PAGE = "collections/edit.html"
BY_HAND = "Press “Run now” whenever you want it to pull."
SAVING = Saving("an async job", "job", create_async_job, update_async_job, database_now, seen_of)


@application_page(Role.EDITOR)
def new(request: PageRequest, application: Application) -> HttpResponse:
    """A new async job; with `?from=TAG`, one like that; with `?slurper=TAG`, one that runs this slurper."""
    if request.method == "POST":
        return _sent(request, application, None)
    like = request.GET.get("from")
    initial = initial_like(found_job(application, like)) if like else initial_new(application)
    if tag := request.GET.get("slurper"):
        initial["slurper"] = tag
    form = AsyncJobForm(initial=initial, application=application)
    form.focus("name")
    return _page(request, application, None, form)


@application_page(Role.EDITOR)
def edit(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Change an async job."""
    job = found_job(application, tag)
    if request.method == "POST":
        return _sent(request, application, job)
    form = AsyncJobForm(initial=initial_of(job), application=application, job=job)
    return _page(request, application, job, form, preview=partial(next_runs, job.runnable, timezone.now()))


@application_page(Role.EDITOR)
@only_posted
def preview(request: PageRequest, application: Application) -> HttpResponse:
    """The next runs of a schedule that is being typed; with `?job=TAG`, of one that this job may have already."""
    tag = request.GET.get("job")
    job = found_job(application, tag) if tag else None
    return show(request, "collections/edit/preview.html", {
        "preview": _preview(request.POST, application, job), "row": job, "is_changed": True,
        "previewed": _previewed(application, job),
    })  # fmt: skip


def _sent(request: PageRequest, application: Application, job: AsyncJob | None) -> HttpResponse:
    """Save it, unless a button asked for something else that the form does."""
    do, data = request.POST.get("do", ""), request.POST.copy()
    if do == "preview":
        begun = AsyncJobForm(initial=typed(AsyncJobForm.base_fields, data), application=application, job=job)
        return _page(request, application, job, begun, is_changed=True)
    is_filled = fill_in(data, do)
    form = AsyncJobForm(data, application=application, job=job)
    is_good = not is_filled and form.is_valid() and not SAVING.is_stale(form, job)
    if is_good and (saved := SAVING.saved(request, form, job, form.told.validated_data)):
        messages.success(request, saved_in_words(saved, timezone.now(), by_hand=BY_HAND))
        return redirect("collections:job", application.slug, saved.tag)
    if wrong := form.wrong():
        form.focus(wrong[0][0])
    return _page(request, application, job, form, is_changed=True)


def _page(
    request: PageRequest, application: Application, job: AsyncJob | None, form: AsyncJobForm, **more: Any
) -> HttpResponse:
    """The form, with what belongs beside it."""
    data = form.data if form.is_bound else form.initial
    jobs = reverse("collections:list", args=[application.slug])
    context = {
        "form": form,
        "row": job,
        "what": "async job",
        "list": jobs,
        "preview": partial(_preview, data, application, job),
        "seen": SAVING.seen_in(request, form, job),
        "address": _address(application, job),
        "previewed": _previewed(application, job),
        "retries": retries_in_words((job.runnable if job else application).policy),
        "zones": zones.names,
        "back": address_of(application, job) if job else jobs,
        **more,
    }
    return show(request, PAGE, context)


def _preview(data: Any, application: Application, job: AsyncJob | None) -> Preview:
    runnable = job.runnable if job else None
    return preview_of_typed(data, timezone.now(), application=application, kind=KIND, runnable=runnable)


def _previewed(application: Application, job: AsyncJob | None) -> str:
    """The address of what the form asks for while it is being filled in."""
    at = reverse("collections:preview", args=[application.slug])
    return f"{at}?{urlencode({'job': job.tag})}" if job else at


def _address(application: Application, job: AsyncJob | None) -> str:
    if job:
        return reverse("collections:edit", args=[application.slug, job.tag])
    return reverse("collections:new", args=[application.slug])
