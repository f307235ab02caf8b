"""What was deleted while somebody had its page open."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpResponse

from badgerjobs.workspaces.errors import RefusedError


def gone_is_404(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a page whose verb refuses nothing but what is not there any more: the next request would not find it."""

    @wraps(view)
    def page(*args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(*args, **kwargs)
        except RefusedError as gone:
            raise Http404(str(gone)) from None

    return page
