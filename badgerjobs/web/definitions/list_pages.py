"""A list that filters narrow, and what comes of deleting what has a type: the same for whatever has a list."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models.functions import Lower
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from badgerjobs.web.addressed_lists import here, list_address, pushed, tidied
from badgerjobs.web.cursors import Page, page_of
from badgerjobs.web.definitions.filters import SaidFilters, TypeFilters
from badgerjobs.web.pages import PageRequest, actor_of, ask, show
from badgerjobs.web.problems import Conflict

# So many a page of the list has.
ROWS = 50
# What else a template is given, of the page of rows that it shows.
Beside = Callable[[Page[Any]], Mapping[str, Any]]


def list_page(
    request: PageRequest,
    rows: Any,
    filters: TypeFilters,
    template: str,
    beside: Beside = lambda _: {},
) -> HttpResponse:
    """The page of the list that the address asks for, by name. `beside` gives what else is shown of its rows."""
    matching = filters.narrow(rows).annotate(title=Lower("name"))
    return filtered_page(request, matching, filters, template, beside)


def filtered_page(
    request: PageRequest,
    matching: Any,
    filters: SaidFilters,
    template: str,
    beside: Beside = lambda _: {},
) -> HttpResponse:
    """The same of rows that the filters have narrowed already, in the filters' order."""
    address = list_address(request, filters)
    if way := tidied(request, address):
        return way
    cursor = request.GET.get("cursor", "")
    page = page_of(matching, order=filters.order, cursor=cursor, size=ROWS)
    total = matching.count()
    context = {
        "filters": filters,
        "here": here(request, filters),
        "page": page,
        "first": page.before + 1,
        "last": page.before + len(page.rows),
        "total": total,
        "has_rows": total or filters.is_narrow,
        **beside(page),
    }
    return pushed(request, show(request, template, context), address)


@dataclass(frozen=True, slots=True)
class Deletion:
    """Of `row`. `page` is the name of its page, `jobs:event`; that of its list has an s more.

    `refusal`: why it would not be deleted now, or empty. `alone` says that nothing uses it.
    """

    row: Any
    page: str
    delete: Callable[..., None]
    refusal: str
    alone: str


def delete_page(request: PageRequest, meant: Deletion, now: datetime) -> HttpResponse:
    """Do it, or say what stands against it, or ask whether that is meant: whichever it is time for."""
    row, refusal = meant.row, meant.refusal
    slug, what = row.application.slug, meant.page.partition(":")[2]
    if request.method == "POST":
        try:
            meant.delete(by=actor_of(request), now=now)
        except Conflict as refused:
            refusal = str(refused.detail)
        else:
            messages.success(request, f"{row.name} is deleted.")
            return redirect(f"{meant.page}s", slug)
    back = reverse(meant.page, args=[slug, row.tag])
    if refusal:
        messages.error(request, refusal)
        return redirect(back)
    text = f"{meant.alone} Its configuration goes, with the credentials in it. There is no way back."
    question = {"title": f"Delete {row.name}?", "text": text, "confirm": f"Delete the {what}", "keep": "Keep it"}
    return ask(request, back=back, danger=True, **question)
