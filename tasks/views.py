"""The list of tasks, the page of a task, and what can be done from there."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from rest_framework import serializers

from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.models import Run
from badgerjobs.runs.pause_form import PauseForm
from badgerjobs.web.cursors import Page
from badgerjobs.web.definitions.list_pages import filtered_page
from badgerjobs.web.one_moment import one_moment
from badgerjobs.web.pages import PageRequest, actor_of, application_page, ask, only_posted, show
from badgerjobs.web.problems import Conflict
from badgerjobs.web.serializer_forms import first_sentence
from badgerjobs.workspaces.models import Application, Role
from tasks import task_questions
from tasks.filters import TaskFilters
from tasks.hooks import hook_verb
from tasks.models import CacheKey, Task
from tasks.page import TaskPage
from tasks.run_form import RunForm
from tasks.services import delete_task, pause_task, resume_task, retry_failed, rotate_webhook, run_task
from tasks.showing import asks_for_body, rows_of
from tasks.variable_fields import values_in


@application_page(Role.VIEWER)
def list_tasks(request: PageRequest, application: Application) -> HttpResponse:
    """The tasks that the address asks for, fifty at a time."""
    filters = TaskFilters.read(request.GET)
    tasks = Task.objects.for_application(application).select_related("runnable").defer("transform").sortable()
    matching = filters.narrow(tasks, application)
    return filtered_page(request, matching, filters, "tasks/list.html", partial(_rows, application))


def _rows(application: Application, page: Page[Task]) -> dict[str, Any]:
    """What the list says of each. Whoever has no key yet begins with one."""
    has_keys = CacheKey.objects.for_application(application).exists
    return {"rows": rows_of(page.rows, timezone.now()), "has_keys": has_keys}


@application_page(Role.VIEWER)
def show_task(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """What it does, when it runs, which keys it means with what stands under them, and its runs."""
    with one_moment():
        page = TaskPage(found_task(application, tag), timezone.now(), values_in(request.GET))
        context = {
            "task": page.task,
            "page": page,
            "address": address_of(application, page.task),
            "keys": lambda: page.keys(request.GET.get("key", "")),
            "runs": lambda: page.run_page(request.GET.get("cursor", "")),
            "webhook": partial(hook_verb("page"), page.task),
        }
        response = show(request, "tasks/task.html", context)
        # What listens to this brings the other parts of the page up to date.
        if request.headers.get("HX-Target") == "runs" and request.headers.get("X-Seen") != page.mark:
            response["HX-Trigger"] = "moved"
        return response


@application_page(Role.EDITOR)
def run(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Run it now. For a webhook that is transformed, ask first what it would bring; of any other, who loads this."""
    task = found_task(application, tag)
    form = RunForm(request.POST if request.method == "POST" else None) if asks_for_body(task) else None
    if request.method != "POST" or (form and not form.is_valid()):
        back = _back(request) or address_of(application, task)
        return ask(request, back=back, form=form, **task_questions.before_running(task))
    more = {"body": form.cleaned_data["body"], "headers": {}} if form else {}
    try:
        made = run_task(task=task, by=actor_of(request), now=database_now(), **more)
        log = f"{_logs(application, task)}?run={made.pk}"
        messages.success(
            request, format_html('Run {} of {} was made: <a href="{}">its log</a>.', made.number, task.name, log)
        )
    except Conflict as gone:
        messages.error(request, str(gone.detail))
        return redirect("tasks:list", application.slug)
    except serializers.ValidationError as error:
        messages.error(request, first_sentence(error.detail))
    return redirect(_logs(application, task))


@application_page(Role.EDITOR)
@only_posted
def retry(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Sync the keys once more that failed in a run."""
    task = found_task(application, tag)
    of = Run.objects.for_application(application).of(task.runnable_id).filter(pk=_uuid(request)).first()
    if of is None:
        messages.warning(request, "This run is not kept any more: there is nothing to retry.")
        return redirect(_logs(application, task))
    try:
        made = retry_failed(task=task, run=of, by=actor_of(request), now=database_now())
    except Conflict as refused:
        messages.warning(request, str(refused.detail))
        return redirect(f"{_logs(application, task)}?run={of.pk}")
    messages.success(request, f"Run {made.number} syncs the keys again that failed in run {of.number}.")
    return redirect(f"{_logs(application, task)}?run={made.pk}")


@application_page(Role.EDITOR)
def pause(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Ask why and until when, then plan nothing until then."""
    task, now = found_task(application, tag), database_now()
    form = PauseForm(request.POST if request.method == "POST" else None, now=now)
    if not form.is_valid():
        question = task_questions.before_pausing(TaskPage(task, now))
        return ask(request, back=address_of(application, task), form=form, **question)
    if pause_task(task=task, by=actor_of(request), now=now, **form.cleaned_data):
        messages.success(request, "Paused. Neither its schedule nor its webhook runs it meanwhile; what runs goes on.")
    else:
        messages.warning(request, "It was paused already, and stays so as it is.")
    return redirect("tasks:task", application.slug, tag)


@application_page(Role.EDITOR)
@only_posted
def resume(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Let its schedule and its webhook run it again."""
    resume_task(task=found_task(application, tag), by=actor_of(request), now=database_now())
    messages.success(request, "Resumed.")
    return redirect("tasks:task", application.slug, tag)


@application_page(Role.EDITOR)
def rotate(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Give its webhook another URL, after it was asked whether that is meant."""
    task = found_task(application, tag)
    back = f"{reverse('tasks:edit', args=[application.slug, tag])}#hook"
    if request.method != "POST":
        return ask(request, back=back, **task_questions.before_rotating(task))
    try:
        rotate_webhook(task=task, by=actor_of(request), now=database_now())
        messages.success(request, "Its webhook has another URL. The one before leads nowhere any more.")
    except Conflict as refused:
        messages.warning(request, str(refused.detail))
    return redirect(back)


@application_page(Role.EDITOR)
def delete(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Delete it with its runs and logs, after it was asked whether that is meant. Its keys stay."""
    task = found_task(application, tag)
    if request.method != "POST":
        question = task_questions.before_deleting(TaskPage(task, timezone.now()))
        return ask(request, back=address_of(application, task), **question)
    delete_task(task=task, by=actor_of(request), now=database_now())
    messages.success(request, f"{task.name} is deleted, with its runs and logs. Its keys stay.")
    return redirect("tasks:list", application.slug)


def found_task(application: Application, tag: str) -> Task:
    """The task of the address, or a 404."""
    task: Task = get_object_or_404(Task.objects.for_application(application).whole(), tag=tag)
    task.application = application
    return task


def address_of(application: Application, task: Task) -> str:
    """The address of its page."""
    return reverse("tasks:task", args=[application.slug, task.tag])


def _logs(application: Application, task: Task) -> str:
    return reverse("tasks:logs", args=[application.slug, task.tag])


def _back(request: PageRequest) -> str:
    """To the list, where the question was asked from there."""
    return reverse("tasks:list", args=[request.application.slug]) if "list" in request.GET else ""


def _uuid(request: PageRequest) -> Any:
    try:
        return UUID(request.POST.get("run", ""))
    except ValueError:
        return None
