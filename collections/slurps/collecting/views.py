"""The list of collections, the page of one, what differs between its versions, and what can be done with it."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models import Exists, OuterRef
from django.db.models.functions import Lower
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from rest_framework.exceptions import APIException

from badgerjobs.lib import words
from badgerjobs.runs.fleet import database_now
from badgerjobs.web.definitions.list_pages import filtered_page
from badgerjobs.web.pages import PageRequest, actor_of, application_page, ask, only_posted, show
from badgerjobs.web.problems import Conflict
from badgerjobs.web.serializer_forms import first_sentence
from badgerjobs.workspaces.models import Application, Role
from slurps.collecting import services
from slurps.collecting.compared import note
from slurps.collecting.differences import difference
from slurps.collecting.differing import KINDS, Differing
from slurps.collecting.filters import CollectionFilters
from slurps.collecting.grid import OPERATORS, GridAsked, grid_of
from slurps.collecting.page import CollectionPage
from slurps.collecting.waiting import looked_up
from slurps.models import Collection, Stage, Version

HELD = "held"


@application_page(Role.VIEWER)
def list_collections(request: PageRequest, application: Application) -> HttpResponse:
    """The collections that the address asks for, fifty at a time."""
    filters = CollectionFilters.read(request.GET)
    held = Version.objects.for_application(application).filter(collection=OuterRef("pk"), stage=Stage.HELD)
    rows = Collection.objects.for_application(application).in_rows().select_related("async_job")
    matching = filters.narrow(rows.annotate(title=Lower("name"), is_held=Exists(held)))
    return filtered_page(request, matching, filters, "collections/collections.html")


@application_page(Role.VIEWER)
def show_collection(request: PageRequest, application: Application, name: str) -> HttpResponse:
    """Its rows as readers see them, or those of another version; its versions, and what waits for approval."""
    collection = found_collection(application, name)
    page, asked = CollectionPage(collection, timezone.now()), GridAsked.read(request.GET)
    if request.headers.get("HX-Target") == "guard" and request.headers.get("X-Seen") == page.guard_mark:
        return HttpResponse(status=204)
    context = {
        "collection": collection,
        "page": page,
        "address": request.path,
        "endpoint": request.build_absolute_uri(reverse("collection-rows", args=[name])),
        "asked": asked,
        "operators": OPERATORS.items(),
        "grid": partial(grid_of, collection, asked),
        "versions": lambda: page.version_page(request.GET.get("versions", "")),
    }
    return show(request, "collections/collection.html", context)


@application_page(Role.VIEWER)
def differences(request: PageRequest, application: Application, name: str) -> HttpResponse:
    """What differs between two versions, `?from=41&to=42`; `held` is the result that waits."""
    collection = found_collection(application, name)
    versions = Version.objects.for_application(application).filter(collection=collection)
    brief = versions.defer("columns", "known", "remembered")
    kept, held = list(brief.ready()[:1000]), versions.filter(stage=Stage.HELD).first()
    if held and request.headers.get("HX-Target") == "held-difference":
        change = looked_up(collection, held)
        return show(request, "collections/differences.html", {"collection": collection, "change": change})
    numbered = {str(one.number): one for one in kept} | ({HELD: held} if held else {})
    later = numbered.get(request.GET.get("to", "")) or collection.current
    earlier = numbered.get(request.GET.get("from", "")) or _before(kept, later)
    context: dict[str, Any] = {
        "collection": collection, "later": later, "earlier": earlier, "choices": list(numbered), "kinds": KINDS,
        "chosen": request.GET.get("d", ""), "back": address_of(application, collection),
    }  # fmt: skip
    if later is not None and later != earlier:
        try:
            told = json.loads(difference(collection, earlier, later))
            context["differing"] = Differing(told, collection, context["chosen"])
            note(earlier, later, told)
        except APIException as error:
            context["refused"] = first_sentence(error.detail)
    return show(request, "collections/differences.html", context)


def _before(kept: list[Version], later: Version | None) -> Version | None:
    """The version before that one; before what waits, the newest."""
    if later is None:
        return None
    return next((one for one in kept if later.number is None or (one.number or 0) < later.number), None)


@application_page(Role.EDITOR)
@only_posted
def activate(request: PageRequest, application: Application, name: str) -> HttpResponse:
    """Have the next runs of its async job fill it."""
    collection = found_collection(application, name)
    return _done(request, services.activate, collection, f"{name} is active: the next runs fill it.")


@application_page(Role.EDITOR)
@only_posted
def deactivate(request: PageRequest, application: Application, name: str) -> HttpResponse:
    """Have no run fill it any more."""
    collection = found_collection(application, name)
    return _done(request, services.deactivate, collection, f"{name} is not active any more. It is read as before.")


@application_page(Role.EDITOR)
def delete(request: PageRequest, application: Application, name: str) -> HttpResponse:
    """Delete it with its versions and rows, after it was asked whether that is meant."""
    collection = found_collection(application, name)
    if request.method != "POST":
        rows = words.counted(collection.current.rows if collection.current else 0, "row")
        text = f"Its readers find nothing under its address any more: {rows}, with all versions. "
        text += "Its async job stays, and stores nothing before another collection is active. " * collection.is_active
        return ask(
            request, back=address_of(application, collection), title=f"Delete {name}?", danger=True,
            text=f"{text}There is no way back.", confirm="Delete the collection", keep="Keep it",
        )  # fmt: skip
    return _done(request, services.delete_collection, collection, f"{name} is deleted.")


def found_collection(application: Application, name: str) -> Collection:
    """The collection of the address, or a 404."""
    collections = Collection.objects.for_application(application).whole()
    collection: Collection = get_object_or_404(collections, name=name)
    collection.application = collection.async_job.application = application
    return collection


def address_of(application: Application, collection: Collection) -> str:
    """The address of its page."""
    return reverse("collections:collection", args=[application.slug, collection.name])


def _done(request: PageRequest, verb: Callable[..., Any], collection: Collection, said: str) -> HttpResponse:
    """Do it, or say that somebody else deleted it; and go back to its job."""
    try:
        verb(collection=collection, by=actor_of(request), now=database_now())
    except Conflict as gone:
        messages.warning(request, str(gone.detail))
    else:
        messages.success(request, said)
    return redirect("collections:job", collection.application.slug, collection.async_job.tag)
