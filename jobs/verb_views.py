"""What can be done with one job from its page, in Ductape's words: cancel it, and retry what failed last."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.pages import PageRequest, actor_of, application_page, ask, only_posted
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.models import Application, Role
from jobs.cancel_form import CancelForm
from jobs.cancelling import cancel_job
from jobs.job_questions import before_cancelling
from jobs.page import JobPage
from jobs.services import retry_job
from jobs.views import found


@application_page(Role.EDITOR)
def cancel(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Ask why, then end it for good: what waits or runs of it is aborted."""
    job = found(application, tag)
    form = CancelForm(request.POST if request.method == "POST" else None, auto_id="cancel-%s")
    if not form.is_valid():
        question = before_cancelling(JobPage(job, timezone.now()))
        return ask(request, back=reverse("jobs:job", args=[application.slug, tag]), form=form, **question)
    try:
        cancel_job(job=job, by=actor_of(request), now=database_now(), reason=form.cleaned_data["reason"])
        messages.success(request, "Cancelled. Nothing of it goes on; its results stay.")
    except Conflict as over:
        messages.warning(request, str(over.detail))
    return redirect("jobs:job", application.slug, tag)


@application_page(Role.EDITOR)
@only_posted
def retry(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Replay the last of its runs that failed."""
    job = found(application, tag)
    try:
        run = retry_job(job=job, by=actor_of(request), now=database_now())
        messages.success(request, f"Run {run.number} replays the last one that failed.")
    except Conflict as refused:
        messages.warning(request, str(refused.detail).replace("To run it, use run/.", "To run it, press “Run now”."))
    return redirect("jobs:job", application.slug, tag)
