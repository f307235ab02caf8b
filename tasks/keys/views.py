"""The list of cache keys, the page of one, and what can be done from there."""

from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.cursors import Page
from badgerjobs.web.definitions.list_pages import filtered_page
from badgerjobs.web.one_moment import one_moment
from badgerjobs.web.pages import PageRequest, actor_of, application_page, ask, only_posted, show
from badgerjobs.workspaces.models import Application, Role
from tasks.keys import services
from tasks.keys.bulk_question import BUTTONS, KeyChoice
from tasks.keys.filters import KeyFilters
from tasks.keys.many import MOST
from tasks.keys.page import KeyPage, rows_of
from tasks.models import CacheKey
from tasks.syncs.asking import refresh_key

# So many names a question has.
NAMED = 5


@application_page(Role.VIEWER)
def list_keys(request: PageRequest, application: Application) -> HttpResponse:
    """The keys that the address asks for, fifty at a time."""
    filters, now = KeyFilters.read(request.GET), timezone.now()
    matching = filters.keys(application, now).in_rows()
    beside = partial(_rows, application, now)
    return filtered_page(request, matching, filters, "tasks/keys/list.html", beside)


def _rows(application: Application, now: datetime, page: Page[CacheKey]) -> dict[str, Any]:
    """What the list says of each. Whoever has no source yet begins with one."""
    return {"rows": rows_of(page.rows, now), "has_sources": application.sources.exists, "verbs": BUTTONS}


@application_page(Role.EDITOR)
def bulk(request: PageRequest, application: Application) -> HttpResponse:
    """Do something with the keys that are ticked, or with all that match, after it was asked whether that is meant."""
    filters, now = KeyFilters.read(request.GET), database_now()
    back = redirect(f"{reverse('tasks:keys', args=[application.slug])}{filters.query}".removesuffix("?"))
    if request.method != "POST":
        return back
    choice = KeyChoice.read(request.POST)
    meant = choice.narrow(filters.keys(application, now))
    found = list(meant.order_by("name").values_list("pk", "name")[: MOST + 1])
    ids = [pk for pk, _ in found]
    if refusal := choice.refusal(len(ids)):
        messages.warning(request, refusal)
        return back
    if not choice.is_confirmed(len(ids)):
        return ask(request, back=back.url, **choice.question(ids, [name for _, name in found[:NAMED]]))
    messages.success(request, choice.do(application=application, ids=ids, by=actor_of(request), now=now))
    return back


@application_page(Role.VIEWER)
def show_key(request: PageRequest, application: Application, name: str) -> HttpResponse:
    """How it stands, what stands under it, how it was fetched, and which tasks name it."""
    with one_moment():
        page = KeyPage(found_key(application, name), timezone.now())
        context = {
            "key": page.key,
            "page": page,
            "address": address_of(application, page.key),
            "curl": page.curl(f"{request.scheme}://{request.get_host()}"),
            "syncs": lambda: page.syncs(request.GET.get("cursor", "")),
        }
        response = show(request, "tasks/keys/key.html", context)
        # What listens to this brings the other parts of the page up to date.
        if request.headers.get("HX-Target") == "standing" and request.headers.get("X-Seen") != page.mark:
            response["HX-Trigger"] = "moved"
        return response


@application_page(Role.EDITOR)
@only_posted
def sync(request: PageRequest, application: Application, name: str) -> HttpResponse:
    """Fetch it now."""
    key = found_key(application, name)
    refresh_key(key=key, by=actor_of(request), now=database_now())
    messages.success(request, "It is fetched now: what comes of it stands below.")
    return redirect(address_of(application, key))


@application_page(Role.EDITOR)
def delete(request: PageRequest, application: Application, name: str) -> HttpResponse:
    """Delete it with its value, after it was asked whether that is meant."""
    key = found_key(application, name)
    if request.method != "POST":
        question = KeyPage(key, timezone.now()).question_before_deleting()
        return ask(request, back=address_of(application, key), **question)
    services.delete_key(key=key, by=actor_of(request), now=database_now())
    messages.success(request, f"{key.name} is deleted.")
    return redirect("tasks:keys", application.slug)


def found_key(application: Application, name: str) -> CacheKey:
    """The application's key with this name, without its value, which comes when it is asked for. Raises Http404."""
    key: Any = get_object_or_404(CacheKey.objects.for_application(application).in_rows(), name=name)
    key.application = application
    return key  # type: ignore[no-any-return]


def address_of(application: Application, key: CacheKey) -> str:
    """The address of its page."""
    return reverse("tasks:key", args=[application.slug, key.name])
