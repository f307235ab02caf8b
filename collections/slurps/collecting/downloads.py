"""The rows that the page of a collection shows, all of them, as a file."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from rest_framework.exceptions import APIException

from badgerjobs.web.pages import PageRequest, application_page
from badgerjobs.web.serializer_forms import first_sentence
from badgerjobs.workspaces.models import Application, Role
from slurps.collecting.grid import GridAsked
from slurps.collecting.reading.asking import Asked, Format
from slurps.collecting.reading.formats import CALLED, FORMATS, TYPES
from slurps.collecting.reading.pages import all_of
from slurps.collecting.reading.seats import Seat, keep
from slurps.collecting.reading.statements import Reader
from slurps.collecting.reading.versions import version_for
from slurps.collecting.snapshot import in_words, one_look
from slurps.collecting.views import address_of, found_collection
from slurps.models import Collection


@application_page(Role.VIEWER)
def download(request: PageRequest, application: Application, name: str) -> HttpResponse:
    """In the version, in the order and with the filters of the page's address; `?format=csv`, `jsonl` or `json`."""
    asked, form = GridAsked.read(request.GET), _format(request.GET.get("format", ""))
    told = replace(asked.asked(), format=form, limit=None, cursor=None)
    collection = found_collection(application, name)
    try:
        _try(collection, told)
        let_go = Seat(application.pk).hold()
    except APIException as error:
        messages.error(request, first_sentence(error.detail))
        return redirect(f"{address_of(application, collection)}{asked.query()}#rows")
    version = f"-version-{told.version}" if told.version else ""
    # Django has a class of its own for it, which is no HttpResponse to a checker of types.
    answer: Any = StreamingHttpResponse(
        _text(application, name, told),
        content_type=TYPES[form],
        headers={
            "Content-Disposition": f'attachment; filename="{name}{version}.{form}"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )
    keep(answer, let_go)
    return answer  # type: ignore[no-any-return]


def _try(collection: Collection, told: Asked) -> None:
    """Fetch the first rows: what is refused is told on the page, and not within a file. Raises APIException."""
    with one_look(), in_words():
        version = version_for(collection, told.version, None)
        next(all_of(Reader(told, collection, version), version), None)


def _text(application: Application, name: str, told: Asked) -> Iterator[str]:
    """In one look at the database, which begins with the first piece and ends with the last."""
    with one_look(), in_words():
        collection = found_collection(application, name)
        version = version_for(collection, told.version, None)
        reader = Reader(told, collection, version)
        yield from FORMATS[told.format](all_of(reader, version), reader.header)


def _format(given: str) -> Format:
    """What it says wrongly counts as not said."""
    return next((form for form in CALLED if form == given), "json")
