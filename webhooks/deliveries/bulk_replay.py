"""Replaying many deliveries from their list: which are meant, how many a minute, and whether that was asked."""

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
from badgerjobs.web.pages import PageRequest, actor_of, ask
from badgerjobs.web.typed import number_of, uuid_of
from badgerjobs.workspaces.models import Application
from webhooks.deliveries.filters import DEAD_LETTERS, DeliveryFilters
from webhooks.deliveries.rows import rows_of
from webhooks.deliveries.services import MOST_AT_ONCE, replay_deliveries
from webhooks.models import Delivery
from webhooks.querysets import REPLAYABLE, DeliveryQuerySet

NONE = "None of these can be replayed now: what was accepted or stored can, as soon as nobody works on it any more."
NONE_FAILED = "None of these failed: tick those that you mean, or choose a state."
TEXT = "Each is acted upon once more, as it came, with its webhook as that is now. What was done before is done again."
# So many are named before anybody says yes.
NAMED = 5

Span = tuple[UUID, UUID]


def ask_to_replay(request: PageRequest, application: Application) -> HttpResponse:
    """The question, or what comes of the answer."""
    filters = DeliveryFilters.read(request.GET)
    back = f"{reverse('webhooks:deliveries', args=[application.slug])}{filters.query}".removesuffix("?")
    span = _span(request)
    ids = _meant(request, application, filters, span)
    if not ids:
        is_of_failed = request.GET.get("all") and not filters.states and not filters.unread
        messages.info(request, NONE_FAILED if is_of_failed else NONE)
        return redirect(back)
    confirmed = number_of(request.POST.get("asked", ""), digits=8)
    if request.GET.get("all") and span is None:  # a yes to nobody knows which
        confirmed = None
    form = RateForm(request.POST or None)
    # Who said yes said it to so many: when more match by now, they are told first.
    has_grown = confirmed is not None and min(len(ids), MOST_AT_ONCE) > confirmed
    if confirmed is None or has_grown or not form.is_valid():
        question = _question(application, ids, confirmed if has_grown else None)
        return ask(request, back=back, form=form, **question)
    count = replay_deliveries(
        application=application, delivery_ids=ids[:MOST_AT_ONCE], by=actor_of(request), now=database_now(),
        **form.cleaned_data,
    )  # fmt: skip
    messages.success(request, f"Replayed {_deliveries(count)}." if count else NONE)
    return redirect(back)


def _meant(request: PageRequest, application: Application, filters: DeliveryFilters, span: Span | None) -> list[UUID]:
    """Which are meant, the newest first: the ticked ones, or one more than may be done at once of those that match."""
    found = Delivery.objects.for_application(application)
    if not request.GET.get("all"):
        ticked = [one for given in request.GET.getlist("delivery")[:MOST_AT_ONCE] if (one := uuid_of(given))]
        found = found.filter(pk__in=ticked)
    elif filters.unread:  # what could not be read must not widen what is done
        return []
    else:
        found = (filters if filters.states else replace_state(filters)).narrow(found, application)
        found = found.filter(pk__gte=span[0], pk__lte=span[1]) if span else found
    return list(_over(found).order_by("-pk").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])


def replace_state(filters: DeliveryFilters) -> DeliveryFilters:
    """The same, narrowed to dead letters: nobody means all that ever came by saying nothing of how it went."""
    return DeliveryFilters(filters.q, DEAD_LETTERS, filters.hook, filters.since, filters.until)


def _over(found: DeliveryQuerySet) -> Any:
    """Those that may be replayed now: accepted, or stored, and nobody works on them."""
    going = Run.objects.filter(pk=OuterRef("run_id")).exclude(state__in=FINAL)
    return found.filter(~Exists(going), standing__in=REPLAYABLE)


def _question(application: Application, ids: list[UUID], confirmed: int | None) -> dict[str, Any]:
    """What `ask` is to show. `confirmed`: to how many somebody said yes before."""
    count, text = min(len(ids), MOST_AT_ONCE), TEXT
    if confirmed is not None:
        text = f"There are {count:,} by now, and not {confirmed:,}. {text}"
    if len(ids) > MOST_AT_ONCE:
        text = f"There are more than {MOST_AT_ONCE:,} that match: these are the newest {count:,}. {text}"
    named = Delivery.objects.for_application(application).filter(pk__in=ids[:NAMED]).defer("body").order_by("-pk")
    items = [_called(row) for row in rows_of(application, named)]
    if count > len(items):
        items.append(f"and {count - len(items):,} more")
    return {
        "title": f"Replay {_deliveries(count)}?",
        "text": text,
        "items": items,
        "confirm": f"Replay {_deliveries(count)}",
        "keep": "Leave them" if count > 1 else "Leave it",
        "hidden": {"asked": [str(count)], "oldest": [str(ids[count - 1])], "newest": [str(ids[0])]},
    }


def _called(row: Any) -> str:
    hook = row.hook.name if row.hook else "A webhook that was deleted"
    return f"{hook}, {words.stamp(row.delivery.received_at, timezone.get_current_timezone())}: {row.state}"


def _span(request: PageRequest) -> Span | None:
    """Between which deliveries those are that somebody was asked about: what came after is none of them."""
    oldest, newest = (uuid_of(request.POST.get(name, "")) for name in ("oldest", "newest"))
    return (oldest, newest) if oldest and newest else None


def _deliveries(count: int) -> str:
    return "1 delivery" if count == 1 else f"{count:,} deliveries"
