"""Making and changing a task in a form: its plan, its keys searched and chosen, its pattern and its transform tried."""

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
from badgerjobs.web.trials import TooManyTrialsError
from badgerjobs.workspaces.models import Application, Role
from tasks.forms import TaskForm, initial_like, initial_new, initial_of
from tasks.hooks import hook_verb
from tasks.models import KIND, Selection, Task, TaskType
from tasks.page_trials import try_form
from tasks.pattern_matches import PatternMatches
from tasks.picking import Picked
from tasks.services import create_task, update_task
from tasks.trials import count_pattern
from tasks.variable_fields import values_in
from tasks.views import address_of, found_task

PAGE = "tasks/edit.html"
BY_HAND = "Press “Run” whenever you want its keys synced."
WHEN_CALLED = "It runs when its webhook is called: its URL is on this page."
SAVING = Saving("a task", "task", create_task, update_task, database_now, seen_of)


@application_page(Role.EDITOR)
def new(request: PageRequest, application: Application) -> HttpResponse:
    """A new task; with `?from=TAG`, one like that; with `?key=NAME`, one for this key."""
    if request.method == "POST":
        return _sent(request, application, None)
    like = request.GET.get("from")
    picked = Picked(application, None)
    initial = initial_like(found_task(application, like)) if like else initial_new(application)
    if like and initial["selection"] == Selection.EXACT:
        picked.difference = picked.difference.plus(Picked(application, found_task(application, like)).all_names())
    elif key := request.GET.get("key"):
        picked.difference = picked.difference.plus([key])
        initial["selection"] = Selection.EXACT
    form = TaskForm(initial=initial, application=application, picked=picked)
    form.focus("name")
    return _page(request, application, None, form)


@application_page(Role.EDITOR)
def edit(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Change a task."""
    task = found_task(application, tag)
    if request.method == "POST":
        return _sent(request, application, task)
    form = TaskForm(initial=initial_of(task), application=application, task=task)
    return _page(request, application, task, form, preview=partial(next_runs, task.runnable, timezone.now()))


@application_page(Role.EDITOR)
@only_posted
def preview(request: PageRequest, application: Application) -> HttpResponse:
    """The next runs of a schedule that is being typed; with `?task=TAG`, of one that this task may have already."""
    task = _task(request, application)
    return show(request, "tasks/edit/preview.html", {
        "preview": _preview(request.POST, application, task), "task": task, "is_changed": True,
        "previewed": _beside(application, task, "preview"),
    })  # fmt: skip


@application_page(Role.EDITOR)
@only_posted
def key_search(request: PageRequest, application: Application) -> HttpResponse:
    """The keys that the form's search finds, and those that are chosen; a button may have added some, or taken away."""
    task = _task(request, application)
    picked = Picked.read(application, task, request.POST)
    picked.do(request.POST.get("do", ""))
    return _shown_again(request, application, task, picked=picked)


@application_page(Role.EDITOR)
@only_posted
def try_pattern(request: PageRequest, application: Application) -> HttpResponse:
    """Which keys the form's pattern means, as it stands."""
    too_often = ""
    try:
        count_pattern(application)
    except TooManyTrialsError as error:
        too_often = str(error)
    return _shown_again(request, application, _task(request, application), is_tested=True, too_often=too_often)


@application_page(Role.EDITOR)
@only_posted
def try_transform(request: PageRequest, application: Application) -> HttpResponse:
    """What the form's transform makes of the example, as it stands."""
    trial, refused = try_form(application, request.POST)
    return _shown_again(request, application, _task(request, application), trial=trial, refused=refused)


def _sent(request: PageRequest, application: Application, task: Task | None) -> HttpResponse:
    """Save it, unless a button asked for something else that the form does."""
    do, data = request.POST.get("do", ""), request.POST.copy()
    picked = Picked.read(application, task, data)
    if do == "preview" or picked.do(do) or _is_search(data, do):
        return _shown_again(request, application, task, picked=picked)
    is_filled, had_hook = fill_in(data, do), bool(task and task.type == TaskType.WEBHOOK)
    form = TaskForm(data, application=application, task=task, picked=picked)
    is_good = not is_filled and form.is_valid() and not SAVING.is_stale(form, task)
    if is_good and (saved := SAVING.saved(request, form, task, form.told.validated_data)):
        messages.success(request, _first_run(saved))
        if saved.type == TaskType.WEBHOOK and not had_hook:
            return redirect("tasks:edit", application.slug, saved.tag)  # where its URL stands
        return redirect("tasks:task", application.slug, saved.tag)
    if wrong := form.wrong():
        form.focus(wrong[0][0])
    return _page(request, application, task, form, is_changed=True)


def _is_search(data: Any, do: str) -> bool:
    """Whether somebody pressed Enter in the search for keys, and did not mean to save."""
    is_new = data.get("find", "").strip() not in {"", data.get("found_for", "")}
    return do == "enter" and data.get("selection") == Selection.EXACT and is_new


def _shown_again(request: PageRequest, application: Application, task: Task | None, **more: Any) -> HttpResponse:
    """The form as it was typed, not judged yet; or the part of it that is asked for."""
    picked = more.pop("picked", None) or Picked.read(application, task, request.POST)
    begun = typed(TaskForm.base_fields, request.POST)
    form = TaskForm(initial=begun, application=application, task=task, picked=picked)
    return _page(request, application, task, form, is_changed=True, **more)


def _page(
    request: PageRequest, application: Application, task: Task | None, form: TaskForm, **more: Any
) -> HttpResponse:
    """The form, with what belongs beside it."""
    data = form.data if form.is_bound else form.initial
    context = {
        "form": form,
        "task": task,
        "row": task,
        "what": "task",
        "list": reverse("tasks:list", args=[application.slug]),
        "picked": form.picked,
        "preview": partial(_preview, data, application, task),
        "pattern_trial": PatternMatches(
            application, str(data.get("selection", "")), str(data.get("pattern", "")), values_in(request.POST)
        ),
        "seen": SAVING.seen_in(request, form, task),
        "address": _address(application, task),
        "previewed": _beside(application, task, "preview"),
        "searched": _beside(application, task, "key-search"),
        "pattern_tried": _beside(application, task, "try-pattern"),
        "transform_tried": _beside(application, task, "try-webhook"),
        "sample": request.POST.get("sample", ""),
        "sample_headers": request.POST.get("sample_headers", ""),
        "retries": retries_in_words((task.runnable if task else application).policy),
        "zones": zones.names,
        "hook": partial(hook_verb("address"), task, request) if task and task.type == TaskType.WEBHOOK else "",
        "webhook": partial(hook_verb("page"), task) if task and task.type == TaskType.WEBHOOK else None,
        "back": address_of(application, task) if task else reverse("tasks:list", args=[application.slug]),
        **more,
    }
    return show(request, PAGE, context)


def _task(request: PageRequest, application: Application) -> Task | None:
    tag = request.GET.get("task")
    return found_task(application, tag) if tag else None


def _beside(application: Application, task: Task | None, view: str) -> str:
    """The address of what the form asks for while it is being filled in."""
    at = reverse(f"tasks:{view}", args=[application.slug])
    return f"{at}?{urlencode({'task': task.tag})}" if task else at


def _address(application: Application, task: Task | None) -> str:
    if task:
        return reverse("tasks:edit", args=[application.slug, task.tag])
    return reverse("tasks:new", args=[application.slug])


def _preview(data: Any, application: Application, task: Task | None) -> Preview:
    runnable = task.runnable if task else None
    return preview_of_typed(data, timezone.now(), application=application, kind=KIND, runnable=runnable)


def _first_run(task: Task) -> str:
    is_called = task.type == TaskType.WEBHOOK
    return saved_in_words(task, timezone.now(), by_hand=WHEN_CALLED if is_called else BY_HAND)
