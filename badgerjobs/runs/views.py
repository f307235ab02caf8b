"""The pages about runs: the list, one run, and what can be done with one or many."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from badgerjobs.runs import listing
from badgerjobs.runs.backfill_form import RateForm
from badgerjobs.runs.filters import RunFilters
from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.models import Run, State
from badgerjobs.runs.page import RunPage
from badgerjobs.runs.services import MOST_AT_ONCE, abort_run, abort_runs, replay_run, replay_runs
from badgerjobs.runs.shown import called, entitle, shown_as
from badgerjobs.web.addressed_lists import live_list
from badgerjobs.web.bulk_question import Many, ask_about, span_of, ticked
from badgerjobs.web.pages import PageRequest, actor_of, application_page, only_posted, show
from badgerjobs.web.problems import Conflict
from badgerjobs.web.typed import number_of, uuid_of
from badgerjobs.workspaces.models import Application, Role


@require_safe
@application_page(Role.VIEWER)
def runs(request: PageRequest, application: Application) -> HttpResponse:
    """All runs of the application, newest first; narrowed by what the address says."""
    filters = RunFilters(request.GET)
    address = f"{request.path}?{filters.address()}" if filters.is_set else request.path
    return live_list(
        request,
        "runs/list.html",
        lambda: _listed(request, application, filters, address),
        address=address,
        misread=bool(filters.errors),
    )


def _listed(request: PageRequest, application: Application, filters: RunFilters, address: str) -> dict[str, Any]:
    before, after = _cursor(request, "before"), _cursor(request, "after")
    page = listing.page_of(application, filters, before=before, after=after)
    return {
        "filters": filters,
        "page": page,
        "stamp": str([_moved(run) for run in page.runs]),
        "is_first": not (before or page.newer),
        "states": [(state, state in filters.states) for state in State.values],
        "address": address,
    }


def _moved(run: Run) -> tuple[Any, ...]:
    """What differs when a list has something else to say of it."""
    return run.pk, run.state, run.held, run.attempts, run.rescues, run.skipped_count


@require_safe
@application_page(Role.VIEWER)
def run(request: PageRequest, application: Application, run_id: UUID) -> HttpResponse:
    """One run: where it stands or what became of it, its attempts, what was asked and answered, its log."""
    page = RunPage(application, _found(application, run_id), chosen=_attempt(request), now=timezone.now())
    if request.GET.get("seen") == page.stamp:
        return HttpResponse(status=204)
    return show(request, "runs/run.html", {"page": page, "run": page.run})


@require_safe
@application_page(Role.VIEWER)
def body(request: PageRequest, application: Application, run_id: UUID) -> HttpResponse:
    """What came back in an attempt, as a file that no browser opens."""
    page = RunPage(application, _found(application, run_id), chosen=_attempt(request), now=timezone.now())
    if page.chosen is None:
        raise Http404
    content = shown_as(page.run.kind).content(page.chosen.result or {})
    name = f"run-{page.run.number}-attempt-{page.chosen.number}.bin"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return HttpResponse(content, content_type="application/octet-stream", headers=headers)


@application_page(Role.EDITOR)
@only_posted
def abort(request: PageRequest, application: Application, run_id: UUID) -> HttpResponse:
    """Stop a run that is not over."""
    found = _found(application, run_id)
    try:
        abort_run(run=found, by=actor_of(request), now=database_now())
    except Conflict as error:
        messages.error(request, str(error.detail))
    else:
        messages.success(request, f"Aborted {called(found)}.")
    return redirect(_back(request) or _address(application, found))


@application_page(Role.EDITOR)
@only_posted
def replay(request: PageRequest, application: Application, run_id: UUID) -> HttpResponse:
    """Run it once more, and go to the new run."""
    found = _found(application, run_id)
    try:
        new = replay_run(run=found, by=actor_of(request), now=database_now())
    except Conflict as error:
        messages.error(request, str(error.detail))
        return redirect(_address(application, found))
    messages.success(request, f"{new.words.capitalize()} replays {_told(found)}.")
    return redirect(_back(request) or _address(application, new))


@application_page(Role.EDITOR)
def abort_many(request: PageRequest, application: Application) -> HttpResponse:
    """Abort the runs that were ticked, or all that match, as far as they are not over."""
    return _with_many(request, application, listing.UNFINISHED, "abort", abort_runs)


@application_page(Role.EDITOR)
def replay_many(request: PageRequest, application: Application) -> HttpResponse:
    """Replay the runs that were ticked, or all that match, as far as they have failed."""
    return _with_many(request, application, [State.FAILED], "replay", replay_runs)


# By what is done: the question, what comes of it, what it is said of, and what is said when that is none.
_WORDS = {
    "abort": (
        "A call that is under way is cut off; it may have reached its endpoint already.",
        "Aborted",
        "that wait or run",
        "None of these runs waits or runs any more. A notice is aborted on its own page.",
    ),
    "replay": (
        "Each becomes a new run of its job as it is now, at once. What the schedule brings meanwhile overlaps with it.",
        "Replayed",
        "that failed",
        "None of these runs has failed.",
    ),
}


# What was replayed already: all that failed does not mean it.
LEFT_OUT = "Not among them: {} with a replay already. Where that failed as well, it is the replay that is replayed."
REPLAYED = "All that failed, {}, has a replay already. Tick what is to be replayed once more."


def _with_many(
    request: PageRequest, application: Application, states: list[State], verb: str, act: Callable[..., int]
) -> HttpResponse:
    filters = RunFilters(request.GET)
    back = f"{reverse('runs:list', args=[application.slug])}?{filters.address()}".removesuffix("?")
    text, done, those, none = _WORDS[verb]
    ids = _asked(request, application, filters, states)
    left_out = _replayed(request, application, filters) if verb == "replay" and request.GET.get("all") else 0
    if not ids:
        messages.info(request, REPLAYED.format(_runs(left_out)) if left_out else none)
        return redirect(back)
    many = Many(
        ids=ids,
        most=MOST_AT_ONCE,
        verb=verb.capitalize(),
        done=done,
        text=f"{text} {LEFT_OUT.format(_runs(left_out))}" if left_out else text,
        none=none,
        named=partial(_named, application),
        counted=_runs,
        act=lambda ids, **more: act(
            application=application, run_ids=ids, by=actor_of(request), now=database_now(), **more
        ),
        those=those,
        danger=verb == "abort",
    )
    form = RateForm(request.POST or None) if verb == "replay" else None
    return ask_about(request, many, back=back, form=form)


def _named(application: Application, ids: Sequence[UUID]) -> list[str]:
    named = Run.objects.for_application(application).filter(pk__in=ids).select_related("runnable").order_by("-id")
    entitle([one.runnable for one in named])
    return [called(one) for one in named]


def _asked(request: PageRequest, application: Application, filters: RunFilters, states: list[State]) -> list[UUID]:
    """Which runs are meant: the ticked ones, or one more than may be done at once of those that match."""
    if request.GET.get("all"):
        if filters.errors:  # what could not be read must not widen what is done
            return []
        also = listing.UNREPLAYED if states == [State.FAILED] else listing.ALL
        return listing.ids_of(application, filters, states, MOST_AT_ONCE + 1, span=span_of(request), also=also)
    chosen = ticked(request, "run", MOST_AT_ONCE)
    runs = Run.objects.for_application(application).others().filter(pk__in=chosen, state__in=states)
    return list(runs.order_by("-id").values_list("pk", flat=True))


def _replayed(request: PageRequest, application: Application, filters: RunFilters) -> int:
    """How many that failed have been replayed already; of those in the span, if there is one."""
    if filters.errors:
        return 0
    span, also = span_of(request), ~listing.UNREPLAYED
    return len(listing.ids_of(application, filters, [State.FAILED], MOST_AT_ONCE, span=span, also=also))


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count:,} runs"


def _found(application: Application, run_id: UUID) -> Run:
    runs = Run.objects.for_application(application).select_related("runnable")
    return get_object_or_404(runs, pk=run_id)


def _address(application: Application, of: Run) -> str:
    return reverse("runs:run", args=[application.slug, of.pk])


def _back(request: HttpRequest) -> str:
    """Where a form of another page wants to return to: an address of ours, or empty."""
    back = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return back if is_ours else ""


def _attempt(request: HttpRequest) -> int | None:
    return number_of(request.GET.get("attempt", ""), digits=5)


def _told(run: Run) -> str:
    return run.words if run.number else "this one"


def _cursor(request: HttpRequest, name: str) -> UUID | None:
    return uuid_of(request.GET.get(name, ""))
