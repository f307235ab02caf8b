"""What a page says when its verb refuses."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from badgerjobs.web.pages import PageRequest
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.models import Application, Workspace

P = ParamSpec("P")
T = TypeVar("T", Workspace, Application)

Page = Callable[Concatenate[PageRequest, T, P], HttpResponse]


def gone_is_404(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a page whose verb refuses nothing but what is not there any more: the next request would not find it."""

    @wraps(view)
    def page(*args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(*args, **kwargs)
        except RefusedError as gone:
            raise Http404(str(gone)) from None

    return page


def refused_goes_to(place: Callable[[T], str]) -> Callable[[Page[T, P]], Page[T, P]]:
    """Decorate a page within its door: who is refused reads why on another one, whose address `place(thing)` gives."""

    def decorate(view: Page[T, P]) -> Page[T, P]:
        @wraps(view)
        def page(request: PageRequest, thing: T, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            try:
                return view(request, thing, *args, **kwargs)
            except RefusedError as refused:
                messages.error(request, str(refused), extra_tags="bad")
                return redirect(place(thing))

        return page

    return decorate
