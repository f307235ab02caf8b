"""Making and changing cache keys in a form: which source first, then a field for each of its variables."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from rest_framework import serializers

from badgerjobs.runs.fleet import database_now
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.types import types_with_values
from badgerjobs.web.definitions.filters import words
from badgerjobs.web.definitions.inputs import flat
from badgerjobs.web.definitions.saving import is_stale, seen_in, when_changed
from badgerjobs.web.pages import PageRequest, actor_of, application_page, show
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.models import Application, Role
from tasks.keys import services
from tasks.keys.forms import KeyForm
from tasks.keys.views import address_of, found_key
from tasks.models import CacheKey

TAKEN = "There is a key with the name “{}” already: give this one another."
# So many sources are offered; the others are searched for.
SOURCES = 50


@application_page(Role.EDITOR)
def new_key(request: PageRequest, application: Application) -> HttpResponse:
    """Choose a source; with `?source=products`, fill in a new key of it."""
    source = _asked_source(request, application)
    return _filled_in(request, application, source, None) if source else _choose(request, application, None)


@application_page(Role.EDITOR)
def edit_key(request: PageRequest, application: Application, name: str) -> HttpResponse:
    """Change a key; with `?source=products`, let it come from there; with `?choose`, choose from where."""
    key = found_key(application, name)
    if "choose" in request.GET:
        return _choose(request, application, key)
    return _filled_in(request, application, _asked_source(request, application) or key.source, key)


def _asked_source(request: PageRequest, application: Application) -> DataSource | None:
    """The source that the address names; None where it names none that there is."""
    rows = DataSource.objects.for_application(application).in_rows()
    tag = words(request.GET, "source")
    return rows.filter(tag=tag).first() if tag else None


def _choose(request: PageRequest, application: Application, key: CacheKey | None) -> HttpResponse:
    rows = DataSource.objects.for_application(application).in_rows()
    rows = rows.filter(type__in=types_with_values()).order_by("name", "pk")
    q = words(request.GET, "q")
    found = list((rows.filter(name__icontains=q) | rows.filter(tag__icontains=q) if q else rows)[: SOURCES + 1])
    keys = reverse("tasks:keys", args=[application.slug])
    context = {
        "key": key,
        "q": q,
        "sources": found[:SOURCES],
        "has_more": len(found) > SOURCES,
        "list": keys,
        "back": address_of(application, key) if key else keys,
    }
    return show(request, "tasks/keys/sources.html", context)


def _filled_in(
    request: PageRequest, application: Application, source: DataSource, key: CacheKey | None
) -> HttpResponse:
    """Show the form, or save what was sent."""
    if request.method != "POST":
        form = KeyForm(application=application, source=source, key=key)
        if not key:
            form.focus("name")
        return _page(request, form)
    form = KeyForm(request.POST.copy(), application=application, source=source, key=key)
    if form.is_valid() and not (key and is_stale(form, when_changed(key))) and (saved := _saved(request, form)):
        messages.success(request, f"{saved.name} is saved.")
        return redirect(address_of(application, saved))
    if wrong := form.wrong():
        form.focus(wrong[0][0])
    return _page(request, form, is_changed=True)


def _saved(request: PageRequest, form: KeyForm) -> CacheKey | None:
    """The row, made or changed. None when something stands against it that only the service sees."""
    by, now = actor_of(request), database_now()
    try:
        if form.key:
            return services.update_key(key=form.key, by=by, now=now, **form.given)
        return services.create_key(application=form.application, by=by, now=now, **form.given)
    except Conflict as error:
        name = form.given.get("name")
        is_taken = name and CacheKey.objects.for_application(form.application).filter(name=name).exists()
        form.refuse("name" if is_taken else "", TAKEN.format(name) if is_taken else str(error.detail))
    except serializers.ValidationError as error:
        for name, said in flat(error.detail).items():
            form.refuse(name, said)
    return None


def _page(request: PageRequest, form: KeyForm, **more: Any) -> HttpResponse:
    """The form, with what belongs to it."""
    key, slug, query = form.key, form.application.slug, urlencode({"source": form.source.tag})
    address = reverse("tasks:edit-key", args=[slug, key.name]) if key else reverse("tasks:new-key", args=[slug])
    keys = reverse("tasks:keys", args=[slug])
    context = {
        "form": form,
        "row": key,
        "what": "key",
        "label": "cache key",
        "source": form.source,
        "seen": seen_in(request, form, when_changed(key) if key else ""),
        "address": f"{address}?{query}",
        "choose": f"{address}?choose=" if key else address,
        "list": keys,
        "back": address_of(form.application, key) if key else keys,
        **more,
    }
    return show(request, "tasks/keys/edit.html", context)
