"""What is done with many background tasks from their list: which are meant, and whether that was asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from badgerjobs.lib import words
from badgerjobs.runs.fleet import database_now
from badgerjobs.web.pages import PageRequest, actor_of, ask
from badgerjobs.web.typed import number_of, uuid_of
from badgerjobs.workspaces.models import Application
from tasks.background import services
from tasks.background.filters import BackgroundFilters
from tasks.background.reading import conditions
from tasks.background.standing import ABORTED, FAILED, PENDING, RUNNING, SUCCESS
from tasks.models import BackgroundRun

# So many are meant at once, and so many are named before anybody says yes.
MOST_AT_ONCE, NAMED = 10_000, 5
WHAT = "background task"

Span = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Doing:
    """What can be done with one or many: how it is called and asked, and with those of which `statuses`.

    `act` does it to these ids, and says to how many. `none` is said where there is none of them.
    """

    verb: str
    done: str
    statuses: Sequence[str]
    text_of_one: str
    text_of_many: str
    none: str
    act: Callable[..., int]

    def question_of_one(self, name: str) -> dict[str, Any]:
        """What `ask` is to show of one."""
        return {
            "title": f"{self.verb} {name}?",
            "text": self.text_of_one,
            "confirm": f"{self.verb} it",
            "keep": "Keep it" if self is DELETE else "Let it go on",
        }


ABORT = Doing(
    "Abort",
    "Aborted",
    (PENDING, RUNNING),
    "It never runs again: it cannot be resumed, only triggered anew. What it triggered and is not over is aborted too.",
    "None of them runs again: they cannot be resumed, only triggered anew. What they triggered and is not over is "
    "aborted too.",
    "Nothing was aborted: only what is pending or running can be.",
    lambda *, application, ids, by, now: services.abort_tasks(application=application, ids=ids, by=by, now=now),
)
DELETE = Doing(
    "Delete",
    "Deleted",
    (SUCCESS, FAILED, ABORTED),
    "Its input, output and log go with it. There is no way back.",
    "Their inputs, outputs and logs go with them. There is no way back.",
    "Nothing was deleted: only what is over can be. Abort it first.",
    lambda *, application, ids, by, now: services.delete_tasks(application=application, ids=ids, by=by, now=now),
)


def ask_about(request: PageRequest, application: Application, doing: Doing) -> HttpResponse:
    """The question, or what comes of the answer."""
    filters = BackgroundFilters.read(request.GET)
    back = f"{reverse('background:list', args=[application.slug])}{filters.query}".removesuffix("?")
    span = _span(request)
    ids = _meant(request, application, filters, span, doing)
    if not ids:
        messages.info(request, doing.none)
        return redirect(back)
    confirmed = number_of(request.POST.get("asked", ""), digits=8)
    if request.GET.get("all") and span is None:  # a yes to nobody knows which
        confirmed = None
    # Who said yes said it to so many: when more match by now, they are told first.
    has_grown = confirmed is not None and min(len(ids), MOST_AT_ONCE) > confirmed
    if confirmed is None or has_grown:
        question = _question(application, ids, confirmed if has_grown else None, doing)
        return ask(request, back=back, danger=True, **question)
    count = doing.act(application=application, ids=ids[:MOST_AT_ONCE], by=actor_of(request), now=database_now())
    messages.success(request, f"{doing.done} {words.counted(count, WHAT)}." if count else doing.none)
    return redirect(back)


def _meant(
    request: PageRequest, application: Application, filters: BackgroundFilters, span: Span | None, doing: Doing
) -> list[UUID]:
    """Which are meant, the newest first: the ticked ones, or one more than may be done at once of those that match."""
    found = BackgroundRun.objects.for_application(application)
    if not request.GET.get("all"):
        ticked = [one for given in request.GET.getlist("task")[:MOST_AT_ONCE] if (one := uuid_of(given))]
        found = found.filter(run_id__in=ticked)
    elif filters.unread:  # what could not be read must not widen what is done
        return []
    else:
        found = filters.narrow(found, application)
        found = found.filter(run_id__gte=span[0], run_id__lte=span[1]) if span else found
    found = found.filter(conditions(application, {"taskStatus_in": doing.statuses}))
    return list(found.order_by("-pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])


def _question(application: Application, ids: list[UUID], confirmed: int | None, doing: Doing) -> dict[str, Any]:
    """What `ask` is to show. `confirmed`: to how many somebody said yes before."""
    count = min(len(ids), MOST_AT_ONCE)
    text = doing.text_of_one if count == 1 else doing.text_of_many
    if confirmed is not None:
        text = f"There are {count:,} by now, and not {confirmed:,}. {text}"
    if len(ids) > MOST_AT_ONCE:
        text = f"There are more than {MOST_AT_ONCE:,} that match: these are the newest {count:,}. {text}"
    named = BackgroundRun.objects.for_application(application).filter(pk__in=ids[:NAMED]).order_by("-pk")
    items = [f"{one.name}, {words.stamp(one.created_at, timezone.get_current_timezone())}" for one in named]
    if count > len(items):
        items.append(f"and {count - len(items):,} more")
    what = words.counted(count, WHAT)
    return {
        "title": f"{doing.verb} {what}?",
        "text": text,
        "items": items,
        "confirm": f"{doing.verb} {what}",
        "keep": "Keep as they are" if count > 1 else "Keep as it is",
        "hidden": {"asked": [str(count)], "oldest": [str(ids[count - 1])], "newest": [str(ids[0])]},
    }


def _span(request: PageRequest) -> Span | None:
    """Between which those are that somebody was asked about: what came after is none of them."""
    oldest, newest = (uuid_of(request.POST.get(name, "")) for name in ("oldest", "newest"))
    return (oldest, newest) if oldest and newest else None
