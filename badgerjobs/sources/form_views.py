"""Making and changing sources in a form, and trying one out as it stands there."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from badgerjobs.runs.fleet import database_now
from badgerjobs.sources import services
from badgerjobs.sources.files.keeping import Keeping
from badgerjobs.sources.files.receiving import Peek, takes_file, unguarded
from badgerjobs.sources.forms import VALUE, SourceForm
from badgerjobs.sources.looks import LINES
from badgerjobs.sources.models import SourceType
from badgerjobs.sources.page_trials import transformed, tried
from badgerjobs.sources.views import found_source
from badgerjobs.web.definitions.form_pages import FormPages
from badgerjobs.web.pages import PageRequest, actor_of, application_page, only_posted
from badgerjobs.workspaces.models import Application, Role

TRANSFORM = "transform"


def _kept(request: PageRequest, name: str) -> Keeping:
    address = request.resolver_match
    tag = address.kwargs.get("tag") if address else None
    return Keeping(request.application, name, by=actor_of(request), now=database_now(), tag=tag)


@unguarded
@application_page(Role.EDITOR)
@takes_file(_kept)
def new_source(request: PageRequest, application: Application) -> HttpResponse:
    """Choose a type; with `?type=REST`, fill in a new source of it."""
    return _pages(request).new(request, application)


@unguarded
@application_page(Role.EDITOR)
@takes_file(_kept)
def edit_source(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Change a source."""
    return _pages(request).edit(request, application, found_source(application, tag))


def _pages(request: Any) -> FormPages:
    """They save the file that came with the form, if one did."""
    file = request.taken
    if file is None:
        return SOURCES
    create, update = partial(services.create_source, file=file), partial(services.update_source, file=file)
    return replace(SOURCES, create=create, update=update)


@unguarded
@application_page(Role.EDITOR)
@takes_file(lambda _, name: Peek(name))
@only_posted
def try_source_form(request: PageRequest, application: Application) -> HttpResponse:
    """Call what the form says, as it stands; with `?source=TAG`, stars are what that source has stored.

    With `do=transform` only its transform is tried, on the example that was pasted. For the part `#declared` nothing
    is tried: it shows which variables there are to give values for.
    """
    tag, type_name = request.GET.get("source"), SOURCES.asked_type(request)
    source = found_source(application, tag) if tag else None
    if not source and not type_name:
        return redirect("sources:new-source", application.slug)
    given: dict[str, Any] = {"application": application, "type_name": source.type if source else type_name}
    begun = SourceForm(**given, row=source, so_far=request.POST)
    if request.headers.get("HX-Target") == "declared":
        if {f"{VALUE}{name}" for name in begun.declared} == {name for name in request.POST if name.startswith(VALUE)}:
            return HttpResponse(status=204)  # nothing new: what is being typed there is left alone
        return SOURCES.page(request, begun, is_changed=True)
    form = SourceForm(request.POST, **given, row=source)
    form.is_valid()
    form.source().posted = request.taken  # type: ignore[attr-defined]  # see `takes_file`
    answer = (transformed if request.POST.get("do") == TRANSFORM else tried)(request, form)
    return SOURCES.page(request, begun, is_changed=True, **answer)


def _beside(request: PageRequest, application: Application, form: Any) -> Mapping[str, Any]:
    """Where it is tried out, and with what."""
    query = {"source": form.row.tag} if form.row else {"type": form.type}
    return {
        "tried_at": f"{reverse('sources:try-source', args=[application.slug])}?{urlencode(query)}",
        "declared": [(name, VALUE + name, request.POST.get(VALUE + name, "")) for name in form.declared],
        "example": request.POST.get("example", ""),
    }


SOURCES = FormPages(
    "source", "a source", "sources", SourceType, SourceForm, services.create_source, services.update_source,
    database_now, "sources/edit.html", LINES, _beside,
)  # fmt: skip
