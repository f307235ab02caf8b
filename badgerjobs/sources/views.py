"""The list of sources, the page of one, and what can be done from there."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone

from badgerjobs.runs.fleet import database_now
from badgerjobs.sources import services
from badgerjobs.sources.models import DataSource, SourceType
from badgerjobs.sources.page import Row, SourcePage
from badgerjobs.sources.uses import last_used
from badgerjobs.web.cursors import Page
from badgerjobs.web.definitions.filters import TypeFilters
from badgerjobs.web.definitions.list_pages import Deletion, delete_page, list_page
from badgerjobs.web.pages import PageRequest, application_page, show
from badgerjobs.workspaces.models import Application, Role


@application_page(Role.VIEWER)
def list_sources(request: PageRequest, application: Application) -> HttpResponse:
    """The sources that the address asks for."""
    sources = DataSource.objects.for_application(application).in_rows().with_keys()
    filters = TypeFilters.read(SourceType, request.GET)
    return list_page(request, sources, filters, "sources/list.html", partial(_rows, application))


def _rows(application: Application, page: Page[DataSource]) -> Mapping[str, Any]:
    """What the list says of each, with when it was used last."""
    used = last_used(application, page.rows)
    return {"rows": [Row(source, used.get(source.pk)) for source in page.rows]}


@application_page(Role.VIEWER)
def show_source(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """What is called, which keys use it, and how their last syncs fared."""
    source = found_source(application, tag)
    return show(request, "sources/source.html", {"source": source, "page": SourcePage(source, timezone.now())})


@application_page(Role.EDITOR)
def delete_source(request: PageRequest, application: Application, tag: str) -> HttpResponse:
    """Delete it after it was asked whether that is meant; not while keys use it, which are named."""
    source = found_source(application, tag)
    delete = partial(services.delete_source, source=source)
    refusal = services.refusal_to_delete_source(source)
    return delete_page(request, Deletion(source, "sources:source", delete, refusal, "No key uses it."), database_now())


def found_source(application: Application, tag: str) -> DataSource:
    """The application's source with this tag. Raises Http404."""
    source: DataSource = get_object_or_404(DataSource.objects.for_application(application), tag=tag)
    source.application = application
    return source
