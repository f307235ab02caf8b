"""Lists that their address narrows, and that look again by themselves: what is shown is a link, and a short one."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol
from zlib import crc32

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from badgerjobs.web.pages import show


class Narrowing(Protocol):
    """Filters as an address has them: `query` is `?q=…`, or `?` alone where none is set."""

    @property
    def query(self) -> str: ...


def list_address(request: HttpRequest, filters: Narrowing) -> str:
    """The address of the list that these filters mean."""
    return f"{request.path}{filters.query}".removesuffix("?")


def here(request: HttpRequest, filters: Narrowing) -> str:
    """The same of the very page that is looked at."""
    cursor = request.GET.get("cursor", "")
    return f"{request.path}{filters.query}" + (f"&cursor={cursor}" if cursor else "")


def tidied(request: HttpRequest, address: str) -> HttpResponse | None:
    """The way to `address` for who comes with empty fields, which a form sends too: nobody wants that link."""
    return redirect(address) if "" in request.GET.values() and not request.headers.get("HX-Request") else None


def pushed(request: HttpRequest, response: HttpResponse, address: str) -> HttpResponse:
    """The same, with what the browser is to say where it is once filters were changed within the page."""
    if request.headers.get("HX-Trigger") == "filters":
        response["HX-Push-Url"] = address
    return response


def live_list(
    request: HttpRequest, template: str, context: Callable[[], Mapping[str, Any]], *, address: str, misread: bool
) -> HttpResponse:
    """The list at its `address`, with this `context`; nothing for who has seen that.

    The `stamp` in it, a text, is another one whenever the list says something else; the page carries a hash of it. Who
    said something that was `misread` stays where they are, and is told.
    """
    if not misread and (way := tidied(request, address)):
        return way
    given = context()
    stamp = f"{crc32(given['stamp'].encode()):08x}"
    if request.GET.get("seen") == stamp:
        return HttpResponse(status=204)
    return pushed(request, show(request, template, {**given, "stamp": stamp}), address)
