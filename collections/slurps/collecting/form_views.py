"""Making and changing a collection in a form."""

import json
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from rest_framework import serializers

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.definitions.inputs import flat
from badgerjobs.web.definitions.saving import is_stale, seen_in
from badgerjobs.web.pages import PageRequest, actor_of, application_page, show
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.models import Application, Role, Token
from slurps.collecting import services
from slurps.collecting.forms import CollectionForm
from slurps.collecting.looks import MEANS
from slurps.collecting.views import address_of, found_collection
from slurps.models import AsyncJob, Collection
from slurps.modes import MODES
from slurps.views import found_job

NOBODYS_LABEL = "No token has the label “{}” now: a token that gets this label later may read."


@application_page(Role.EDITOR)
def new(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """A new collection of this async job; the first one is active from the beginning."""
    job = found_job(application, tag)
    if request.method != "POST":
        form = CollectionForm()
        form.focus("name")
        return _page(request, job, None, form)
    form = CollectionForm(request.POST)
    if form.is_valid() and (made := _made(request, job, form)):
        said = "The next run fills it." if made.is_active else "Activate it, and the next runs fill it."
        messages.success(request, f"{made.name} is saved. {said}")
        _note_readers(request, made.application, made.readers)
        return redirect(address_of(application, made))
    return _again(request, job, None, form)


@application_page(Role.EDITOR)
def edit(request: PageRequest, application: Application, name: str) -> HttpResponse:
    """Change how many versions are kept, what is found quickly, who may read it, and its guards."""
    collection = found_collection(application, name)
    job = collection.async_job
    if request.method != "POST":
        return _page(request, job, collection, CollectionForm(collection=collection))
    form = CollectionForm(request.POST.copy(), collection=collection)
    if form.is_valid() and not is_stale(form, _seen(collection)) and _changed(request, form):
        messages.success(request, f"{name} is saved.")
        _note_readers(request, application, form.given.get("readers"))
        return redirect(address_of(application, collection))
    return _again(request, job, collection, form)


def _made(request: PageRequest, job: AsyncJob, form: CollectionForm) -> Collection | None:
    by, now = actor_of(request), database_now()
    try:
        made = services.create_collection(job=job, by=by, now=now, **form.given)
        others = Collection.objects.for_application(job.application).filter(async_job=job).exclude(pk=made.pk)
        return made if others.exists() else services.activate(collection=made, by=by, now=now)
    except Conflict as taken:
        form.refuse("name", taken.detail)
        return None


def _changed(request: PageRequest, form: CollectionForm) -> bool:
    assert form.collection is not None  # noqa: S101
    try:
        services.update_collection(collection=form.collection, by=actor_of(request), now=database_now(), **form.given)
    except Conflict as refused:
        form.refuse("", refused.detail)
    except serializers.ValidationError as error:
        for name, said in flat(error.detail).items():
            form.refuse(name, said)
    return not form.errors


def _note_readers(request: PageRequest, application: Application, labels: Sequence[str] | None) -> None:
    """Of labels that no token has it is said so: they may be mistyped, or a token may be made later."""
    there = set(Token.objects.for_application(application).usable(database_now()).values_list("label", flat=True))
    for label in labels or ():
        if label not in there:
            messages.warning(request, NOBODYS_LABEL.format(label))


def _again(request: PageRequest, job: AsyncJob, collection: Collection | None, form: CollectionForm) -> HttpResponse:
    if wrong := form.wrong():
        form.focus(wrong[0][0])
    return _page(request, job, collection, form, is_changed=True)


def _page(
    request: PageRequest, job: AsyncJob, collection: Collection | None, form: CollectionForm, **more: Any
) -> HttpResponse:
    """The form. Of what is there already it is said what its mode means."""
    slug = job.application.slug
    at_job = reverse("collections:job", args=[slug, job.tag])
    context: dict[str, Any] = {
        "form": form, "row": collection, "what": "collection", "job": job, "job_address": at_job,
        "list": reverse("collections:collections", args=[slug]), "address": request.path,
        "back": address_of(job.application, collection) if collection else at_job,
        **more,
    }  # fmt: skip
    if collection:
        means = MODES[collection.mode]
        context |= {"means": MEANS[collection.mode], "mode": means, "seen": seen_in(request, form, _seen(collection))}
    return show(request, "collections/collection_edit.html", context)


def _seen(collection: Collection) -> str:
    """What can be changed of it: runs touch the row, too."""
    told = [collection.keep, collection.indexed, collection.readers, collection.guards]
    return json.dumps(told, sort_keys=True)
