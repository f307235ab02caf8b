"""What is done with many background tasks from their list: which are meant, and whether that was asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from badgerjobs.lib import words
from badgerjobs.runs.fleet import database_now
from badgerjobs.web import bulk_question
from badgerjobs.web.bulk_question import Many, span_of, ticked
from badgerjobs.web.pages import PageRequest, actor_of
from badgerjobs.workspaces.models import Application
from tasks.background import services
from tasks.background.abort_form import AbortForm
from tasks.background.filters import BackgroundFilters
from tasks.background.reading import conditions
from tasks.background.standing import ABORTED, FAILED, PENDING, RUNNING, SUCCESS
from tasks.models import BackgroundRun

# So many are meant at once.
MOST_AT_ONCE = 10_000
WHAT = "background task"


@dataclass(frozen=True, slots=True)
class Doing:
    """What can be done with one or many: how it is called and asked, and with those of which `statuses`.

    `act` does it to these ids, and says to how many. `none` is said where there is none of them, `kept` where there are
    some, and it was done to none. `form` is what else is asked before, and `act` is given.
    """

    verb: str
    done: str
    statuses: Sequence[str]
    text_of_one: str
    text_of_many: str
    none: str
    kept: str
    act: Callable[..., int]
    form: type[AbortForm] | None = None

    def form_of(self, request: PageRequest, *, are_many: bool = False) -> AbortForm | None:
        """What else is asked, as far as it was answered."""
        given = request.POST if request.method == "POST" else None
        return self.form(given, are_many=are_many) if self.form else None

    def question_of_one(self, name: str) -> dict[str, Any]:
        """What `ask` is to show of one."""
        return {
            "title": f"{self.verb} {name}?",
            "text": self.text_of_one,
            "confirm": f"{self.verb} it",
            "keep": "Keep it" if self is DELETE else "Let it go on",
        }


NONE_TO_ABORT = "Nothing was aborted: only what is pending or running can be."
ABORT = Doing(
    "Abort",
    "Aborted",
    (PENDING, RUNNING),
    "It never runs again: it cannot be resumed, only triggered anew. What it triggered and is not over is aborted too, "
    "unless you spare it.",
    "None of them runs again: they cannot be resumed, only triggered anew. What they triggered and is not over is "
    "aborted too, unless you spare it.",
    NONE_TO_ABORT,
    NONE_TO_ABORT,
    services.abort_tasks,
    AbortForm,
)
DELETE = Doing(
    "Delete",
    "Deleted",
    (SUCCESS, FAILED, ABORTED),
    "Its input, output and log go with it. There is no way back.",
    "Their inputs, outputs and logs go with them. There is no way back.",
    "Nothing was deleted: only what is over can be. Abort it first.",
    services.STILL_NEEDED,
    services.delete_tasks,
)


def ask_about(request: PageRequest, application: Application, doing: Doing) -> HttpResponse:
    """The question, or what comes of the answer."""
    filters = BackgroundFilters.read(request.GET)
    back = f"{reverse('background:list', args=[application.slug])}{filters.query}".removesuffix("?")
    ids = _meant(request, application, filters, doing)
    if not ids:
        messages.info(request, doing.none)
        return redirect(back)
    many = Many(
        ids=ids,
        most=MOST_AT_ONCE,
        verb=doing.verb,
        done=doing.done,
        text=doing.text_of_one if len(ids) == 1 else doing.text_of_many,
        none=doing.kept,
        named=partial(_named, application),
        counted=partial(words.counted, what=WHAT),
        act=lambda ids, **more: doing.act(
            application=application, ids=ids, by=actor_of(request), now=database_now(), **more
        ),
        danger=True,
    )
    return bulk_question.ask_about(request, many, back=back, form=doing.form_of(request, are_many=len(ids) > 1))


def _meant(request: PageRequest, application: Application, filters: BackgroundFilters, doing: Doing) -> list[UUID]:
    """Which are meant, the newest first: the ticked ones, or one more than may be done at once of those that match."""
    found = BackgroundRun.objects.for_application(application)
    if not request.GET.get("all"):
        found = found.filter(run_id__in=ticked(request, "task", MOST_AT_ONCE))
    elif filters.unread:  # what could not be read must not widen what is done
        return []
    else:
        found = filters.narrow(found, application)
        found = found.filter(run_id__gte=span[0], run_id__lte=span[1]) if (span := span_of(request)) else found
    found = found.filter(conditions(application, {"taskStatus_in": doing.statuses}))
    return list(found.order_by("-pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])


def _named(application: Application, ids: Sequence[UUID]) -> list[str]:
    rows = BackgroundRun.objects.for_application(application).filter(pk__in=ids).order_by("-pk")
    return [f"{one.name}, {words.stamp(one.created_at, timezone.get_current_timezone())}" for one in rows]
