"""The list of deliveries, the page of one, and what can be done from there."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.addressed_lists import here, list_address, live_list
from badgerjobs.web.cursors import page_of
from badgerjobs.web.one_moment import one_moment
from badgerjobs.web.pages import PageRequest, actor_of, application_page, ask, only_posted, show
from badgerjobs.web.problems import Conflict
from badgerjobs.web.serializer_forms import first_sentence
from badgerjobs.web.typed import uuid_of
from badgerjobs.workspaces.models import Application, Role
from webhooks.deliveries.bulk_replay import ask_to_replay
from webhooks.deliveries.filters import DEAD_LETTERS, DeliveryFilters
from webhooks.deliveries.page import DeliveryPage, file_name
from webhooks.deliveries.rows import rows_of, stamp_of
from webhooks.deliveries.services import replay_delivery, verify_again
from webhooks.models import Delivery, Hook, Standing
from webhooks.querysets import DEAD, SEARCHED
from webhooks.receiving.packing import unpacked
from webhooks.rotation import address_of
from webhooks.transforms.example_form import ExampleForm
from webhooks.transforms.example_services import add_example, example_of

# So many a page of the list has.
ROWS = 50
# So many hooks are offered where a list is narrowed to one.
HOOKS = 500
# What becomes of a refused one that is found right.
THEN = {
    Standing.HELD: "it is held until its webhook is resumed",
    Standing.STORED: "it is stored, as its webhook does nothing else",
    Standing.ACCEPTED: "it is acted upon",
    Standing.DUPLICATE: "it repeats another one, so that nothing is done",
}
NO_TEXT = "Its body is no text: an example has only what can be typed."


@application_page(Role.VIEWER)
@one_moment()
def list_deliveries(request: PageRequest, application: Application) -> HttpResponse:
    """What came to the hooks of the application, newest first; narrowed by what the address says."""
    filters = DeliveryFilters.read(request.GET)
    return live_list(
        request,
        "webhooks/deliveries.html",
        lambda: _listed(request, application, filters),
        address=list_address(request, filters),
        misread=bool(filters.unread),
    )


def _listed(request: PageRequest, application: Application, filters: DeliveryFilters) -> dict[str, Any]:
    cursor = request.GET.get("cursor", "")
    found = filters.narrow(Delivery.objects.for_application(application).defer("body", "headers"), application)
    page = page_of(found, order=filters.order, cursor=cursor, size=ROWS)
    rows = rows_of(application, page.rows)
    hooks = Hook.objects.for_application(application).order_by("name", "pk").values_list("tag", "name")
    return {
        "filters": filters,
        "fields": lambda: filters.fields(dict(hooks[:HOOKS])),
        "has_hooks": hooks.exists,
        "page": page,
        "rows": rows,
        "offers_all": any(row.may_replay for row in rows if filters.states or row.state in DEAD),
        "stamp": stamp_of(rows),
        "is_first": not page.earlier,
        "is_searched_in_part": bool(filters.q),
        "searched": SEARCHED,
        "here": here(request, filters),
    }


@application_page(Role.VIEWER)
def dead_letters(request: PageRequest, application: Application) -> HttpResponse:
    """What could not be done: the list of deliveries, narrowed to those, and by whatever else the address says."""
    query = urlencode({**request.GET.dict(), "state": DEAD_LETTERS})
    return redirect(f"{reverse('webhooks:deliveries', args=[application.slug])}?{query}")


@application_page(Role.EDITOR)
def replay_many(request: PageRequest, application: Application) -> HttpResponse:
    """Act once more upon the deliveries that were ticked, or on all that match, after it was asked."""
    return ask_to_replay(request, application)


@application_page(Role.VIEWER)
def show_delivery(request: PageRequest, application: Application, delivery_id: UUID) -> HttpResponse:
    """What came, what was decided, what its transform returned, and what that caused."""
    with one_moment():
        delivery = found_delivery(application, delivery_id, without=("body",))
        page = DeliveryPage(application, delivery, chosen=uuid_of(request.GET.get("run", "")), now=timezone.now())
        if request.GET.get("seen") == page.stamp:
            return HttpResponse(status=204)
        context = {"delivery": delivery, "page": page, "row": page.row, "curl": lambda: _curl(request, page)}
        return show(request, "webhooks/delivery.html", context)


def _curl(request: PageRequest, page: DeliveryPage) -> str:
    """The command that sends the same. Who may not change the hook is not told its secret."""
    hook = Hook.objects.for_application(request.application).filter(runnable_id=page.delivery.runnable_id).first()
    return page.curl(address_of(hook, request)) if hook and request.member.may(Role.EDITOR) else ""


@application_page(Role.VIEWER)
def body(_request: PageRequest, application: Application, delivery_id: UUID) -> HttpResponse:
    """What came, byte for byte, as a file that no browser opens."""
    delivery = found_delivery(application, delivery_id)
    headers = {
        "Content-Disposition": f'attachment; filename="{file_name(delivery)}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    raw = unpacked(bytes(delivery.body), packed=delivery.packed)
    return HttpResponse(raw, content_type="application/octet-stream", headers=headers)


@application_page(Role.EDITOR)
@only_posted
def replay(request: PageRequest, application: Application, delivery_id: UUID) -> HttpResponse:
    """Act upon it once more, as it came, with its hook as that is now."""
    delivery = found_delivery(application, delivery_id)
    try:
        replay_delivery(delivery=delivery, by=actor_of(request), now=database_now())
    except Conflict as refused:
        messages.warning(request, str(refused.detail))
    else:
        messages.success(request, "It is acted upon once more, as it came, with its webhook as that is now.")
    return redirect("webhooks:delivery", application.slug, delivery_id)


@application_page(Role.EDITOR)
@only_posted
def verify(request: PageRequest, application: Application, delivery_id: UUID) -> HttpResponse:
    """Judge a refused one once more, with the secrets as they are now."""
    delivery = found_delivery(application, delivery_id)
    try:
        judged = verify_again(delivery=delivery, by=actor_of(request), now=database_now())
    except Conflict as refused:
        messages.warning(request, str(refused.detail))
    else:
        messages.success(request, f"It was found right this time: {THEN[Standing(judged.standing)]}.")
    return redirect("webhooks:delivery", application.slug, delivery_id)


@application_page(Role.EDITOR)
def save_as_example(request: PageRequest, application: Application, delivery_id: UUID) -> HttpResponse:
    """Keep it among the examples that its hook's transform is tried with, under a name that is asked for."""
    delivery = found_delivery(application, delivery_id)
    back = reverse("webhooks:delivery", args=[application.slug, delivery_id])
    hook = get_object_or_404(Hook.objects.for_application(application), runnable_id=delivery.runnable_id)
    hook.application = application
    given = example_of(delivery)
    if given["body"] is None:
        messages.warning(request, NO_TEXT)
        return redirect(back)
    form = ExampleForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            add_example(hook=hook, name=form.cleaned_data["name"], by=actor_of(request), now=database_now(), **given)
        except Conflict as refused:
            form.add_error("name", str(refused.detail))
        except serializers.ValidationError as error:
            form.add_error("name", first_sentence(error.detail))
        else:
            messages.success(request, f"{form.cleaned_data['name']} is among the examples of {hook.name}.")
            at = reverse("webhooks:transform", args=[application.slug, hook.tag])
            return redirect(f"{at}?{urlencode({'example': form.cleaned_data['name']})}")
    text = "What came is kept, without credentials, for as long as its webhook: the transform is tried with it."
    question = {"title": "Save as an example?", "text": text, "confirm": "Save the example", "keep": "Not now"}
    return ask(request, back=back, form=form, **question)


def found_delivery(application: Application, delivery_id: UUID, *, without: Sequence[str] = ()) -> Delivery:
    """The delivery of the address, or a 404. Columns that it is `without` are read when somebody asks for them."""
    found = Delivery.objects.for_application(application).defer(*without)
    delivery: Delivery = get_object_or_404(found, pk=delivery_id)
    delivery.application = application
    return delivery
