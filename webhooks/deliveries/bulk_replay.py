"""Replaying many deliveries from their list: which are meant, how many a minute, and whether that was asked."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from badgerjobs.lib import words
from badgerjobs.runs.backfill_form import RateForm
from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.models import FINAL, Run
from badgerjobs.web.bulk_question import Many, ask_about, span_of, ticked
from badgerjobs.web.pages import PageRequest, actor_of
from badgerjobs.workspaces.models import Application
from webhooks.deliveries.filters import DEAD_LETTERS, DeliveryFilters
from webhooks.deliveries.rows import rows_of
from webhooks.deliveries.services import MOST_AT_ONCE, replay_deliveries
from webhooks.models import Delivery
from webhooks.querysets import REPLAYABLE, DeliveryQuerySet

NONE = "None of these can be replayed now: what was accepted or stored can, as soon as nobody works on it any more."
NONE_FAILED = "None of these failed: tick those that you mean, or choose a state."
TEXT = "Each is acted upon once more, as it came, with its webhook as that is now. What was done before is done again."


def ask_to_replay(request: PageRequest, application: Application) -> HttpResponse:
    """The question, or what comes of the answer."""
    filters = DeliveryFilters.read(request.GET)
    back = f"{reverse('webhooks:deliveries', args=[application.slug])}{filters.query}".removesuffix("?")
    ids = _meant(request, application, filters)
    if not ids:
        is_of_failed = request.GET.get("all") and not filters.states and not filters.unread
        messages.info(request, NONE_FAILED if is_of_failed else NONE)
        return redirect(back)
    many = Many(
        ids=ids,
        most=MOST_AT_ONCE,
        verb="Replay",
        done="Replayed",
        text=TEXT,
        none=NONE,
        named=partial(_named, application),
        counted=_deliveries,
        act=partial(_replay, request, application),
        keep=("Leave it", "Leave them"),
    )
    return ask_about(request, many, back=back, form=RateForm(request.POST or None))


def _replay(request: PageRequest, application: Application, ids: Sequence[UUID], **pace: Any) -> int:
    who = actor_of(request)
    return replay_deliveries(application=application, delivery_ids=ids, by=who, now=database_now(), **pace)


def _meant(request: PageRequest, application: Application, filters: DeliveryFilters) -> list[UUID]:
    """Which are meant, the newest first: the ticked ones, or one more than may be done at once of those that match."""
    found = Delivery.objects.for_application(application)
    if not request.GET.get("all"):
        found = found.filter(pk__in=ticked(request, "delivery", MOST_AT_ONCE))
    elif filters.unread:  # what could not be read must not widen what is done
        return []
    else:
        found = (filters if filters.states else replace_state(filters)).narrow(found, application)
        found = found.filter(pk__range=span) if (span := span_of(request)) else found
    return list(_over(found).order_by("-pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])


def replace_state(filters: DeliveryFilters) -> DeliveryFilters:
    """The same, narrowed to dead letters: nobody means all that ever came by saying nothing of how it went."""
    return DeliveryFilters(filters.q, DEAD_LETTERS, filters.hook, filters.since, filters.until)


def _over(found: DeliveryQuerySet) -> Any:
    """Those that may be replayed now: accepted, or stored, and nobody works on them."""
    going = Run.objects.filter(pk=OuterRef("run_id")).exclude(state__in=FINAL)
    return found.filter(~Exists(going), standing__in=REPLAYABLE)


def _named(application: Application, ids: Sequence[UUID]) -> list[str]:
    deliveries = Delivery.objects.for_application(application).filter(pk__in=ids).defer("body").order_by("-pk")
    return [_called(row) for row in rows_of(application, deliveries)]


def _called(row: Any) -> str:
    hook = row.hook.name if row.hook else "A webhook that was deleted"
    return f"{hook}, {words.stamp(row.delivery.received_at, timezone.get_current_timezone())}: {row.state}"


def _deliveries(count: int) -> str:
    return "1 delivery" if count == 1 else f"{count:,} deliveries"
