"""Putting a background task on a schedule: the form, and what comes of it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from badgerjobs.lib import zones
from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.forms import ScheduleForm
from badgerjobs.runs.models import Runnable
from badgerjobs.runs.previews import Preview, preview_of_form
from badgerjobs.web.pages import PageRequest, actor_of, application_page, show
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.models import Application, Role
from jobs.background_form import BackgroundScheduleForm
from jobs.background_schedules import schedule_background_task
from jobs.models import EVENT_KIND, Job
from tasks.background.definition_views import found_definition


@application_page(Role.EDITOR)
def schedule(request: PageRequest, application: Application, definition: str) -> HttpResponse:
    """Ask when and with what input; then make a job that triggers it, and go there."""
    its = found_definition(definition)
    data = request.POST if request.method == "POST" else None
    form = BackgroundScheduleForm(data, application=application, definition=its)
    is_previewed = request.POST.get("do") == "preview"
    if request.method == "POST" and form.is_valid() and not is_previewed and (job := _made(request, application, form)):
        messages.success(request, f"{job.name} triggers {its.title} from now on.")
        return redirect("jobs:job", application.slug, job.tag)
    context = {
        "definition": its,
        "form": form,
        "preview": lambda: _preview(application, form),
        "zones": zones.names,
        "address": request.path,
        "back": reverse("background:definition", args=[application.slug, its.id]),
        "is_changed": True,
    }
    return show(request, "jobs/background.html", context)


def _made(request: PageRequest, application: Application, form: BackgroundScheduleForm) -> Job | None:
    """The job; None where something stands against it, which the form says then."""
    fields: dict[str, Any] = form.job.fields_of_job
    tag = fields.pop("tag")
    try:
        return schedule_background_task(
            application=application, definition=form.definition.id, input=form.input.given, tag=tag,
            by=actor_of(request), now=database_now(), **fields,
        )  # fmt: skip
    except Conflict:
        form.job.refuse_tag(tag)
    return None


def _preview(application: Application, form: BackgroundScheduleForm) -> Preview:
    data = form.job.data if form.is_bound else form.job.initial
    new = Runnable(application=application, kind=EVENT_KIND, name=str(data.get("tag") or data.get("name") or ""))
    return preview_of_form(ScheduleForm(data), timezone.now(), new)
