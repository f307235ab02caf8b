"""What every page stands on: who may see it, and how it is shown, whole or the part that htmx asks for.

Each decorator leaves on the view which role it needs (`view.least`): tests try every page with every role by it.
"""

from collections.abc import Callable, Mapping
from functools import cache, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec
from urllib.parse import quote

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect, render
from django.template import Engine
from django.urls import Resolver404, resolve

from badgerjobs.web.authentication import address_of
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application, Member, Role, User, Workspace

P = ParamSpec("P")
SIGNED_OUT = "You were signed out, so nothing was changed. Sign in, and you come back to where that was."


class PageRequest(HttpRequest):
    """A request of somebody who is signed in, as the decorators below leave it. For types only."""

    user: User
    member: Member
    workspace: Workspace
    application: Application


ApplicationView = Callable[Concatenate[PageRequest, Application, P], HttpResponse]
WorkspaceView = Callable[Concatenate[PageRequest, Workspace, P], HttpResponse]


class RoleTooLowError(PermissionDenied):
    """A member may look at the workspace, but what they asked for needs another role. `least` is that role."""

    def __init__(self, member: Member, least: Role) -> None:
        super().__init__(
            f"This needs the role “{least.label}”; in {member.workspace} yours is “{member.get_role_display()}”."
        )
        self.member, self.least = member, least


def signed_in(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a page for whoever is signed in. Nobody is sent to sign in first, and then comes back."""

    @wraps(view)
    def page(request: PageRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if request.headers.get("HX-Request"):  # a part of a page must not become the sign-in form
            return HttpResponse(status=401, headers={"HX-Refresh": "true"})
        if request.method != "GET":
            messages.warning(request, SIGNED_OUT)
        return redirect_to_login(request.get_full_path())

    page.least = None  # type: ignore[attr-defined]  # any role, or none
    return page


def application_page(least: Role) -> Callable[[ApplicationView[P]], Callable[..., HttpResponse]]:
    """Decorate a page below an application: `view(request, application, …)` for members with this role or a higher one.

    Nobody is sent to sign in; a stranger gets the 404 of what does not exist; a member whose role is too low is told.
    The member and the application are put on the request, where navigation finds them.
    """

    def decorate(view: ApplicationView[P]) -> Callable[..., HttpResponse]:
        @signed_in
        @wraps(view)
        def page(request: PageRequest, application_slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            applications = Application.objects.for_user(request.user).select_related("workspace")
            application = get_object_or_404(applications, slug=application_slug)
            request.application = application
            _let_in(request, application.workspace, least)
            return view(request, application, *args, **kwargs)

        page.least = least  # type: ignore[attr-defined]
        return page

    return decorate


def workspace_page(least: Role) -> Callable[[WorkspaceView[P]], Callable[..., HttpResponse]]:
    """Decorate a page of a workspace, `view(request, workspace, …)`, as `application_page` does those below one."""

    def decorate(view: WorkspaceView[P]) -> Callable[..., HttpResponse]:
        @signed_in
        @wraps(view)
        def page(request: PageRequest, workspace_slug: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            workspace = get_object_or_404(Workspace.objects.for_user(request.user), slug=workspace_slug)
            _let_in(request, workspace, least)
            return view(request, workspace, *args, **kwargs)

        page.least = least  # type: ignore[attr-defined]
        return page

    return decorate


def only_posted(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """Decorate what only a form is sent to, below the decorator that says who may: who loads it is sent to its page.

    Somebody comes by the history of a browser, or back from signing in.
    """

    @wraps(view)
    def page(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        request: Any = args[0]
        if request.method == "POST":
            return view(*args, **kwargs)
        return redirect(_above(request.path)) if request.method in {"GET", "HEAD"} else HttpResponseNotAllowed(["POST"])

    page.is_only_posted = True  # type: ignore[attr-defined]
    return page


def _above(path: str) -> str:
    """The nearest page that an address stands below."""
    above = path
    while above := above.rstrip("/").rpartition("/")[0]:
        try:
            view = resolve(f"{above}/").func
        except Resolver404:
            continue
        if not getattr(view, "is_only_posted", False):
            return f"{quote(above)}/"
    return "/"


def _let_in(request: PageRequest, workspace: Workspace, least: Role) -> None:
    member = Member.objects.for_user(request.user).filter(workspace=workspace, user=request.user).first()
    if member is None:
        raise Http404
    member.workspace = workspace
    request.member, request.workspace = member, workspace
    if not member.may(least):
        raise RoleTooLowError(member, least)


def actor_of(request: PageRequest) -> audit.Actor:
    """Who does what this request asks for, as the audit log will name them."""
    return audit.person(request.user, address_of(request))


def show(
    request: HttpRequest, template: str, context: Mapping[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Answer with a page, or with the part of it that htmx is about to replace.

    The parts of `jobs/job.html` are `jobs/job/results.html` and so on, named like the id of their outermost element;
    the page includes them, so that both come from one template. What only other parts need should be lazy: a queryset,
    or a function.
    """
    part = f"{template.removesuffix('.html')}/{request.headers.get('HX-Target', '')}.html"
    template = part if part in _parts() else template
    response = render(request, template, dict(context or {}), status=status)
    # The same address has the page and its parts: a cache must not give one for the other.
    response["Vary"] = "HX-Target, Cookie"
    response["Cache-Control"] = "no-store"
    return response


@cache
def _parts() -> frozenset[str]:
    """The parts that there are. Not asked of Django: it remembers for ever each name that anybody has asked it for."""
    return frozenset(
        path.relative_to(folder).as_posix()
        for folder in map(Path, Engine.get_default().dirs)
        for path in folder.rglob("*.html")
    )


def ask(request: HttpRequest, **question: Any) -> HttpResponse:
    """Ask before something that cannot be undone: a page, or a dialog where scripts run.

    `title`, `text`, `confirm` (the button's words) and `back` (an address); perhaps `items` (what it concerns), `keep`
    (the words of the way back), `type_name` (what has to be typed), `danger`, `form` (what else to fill in, with the
    `template` that shows it). The form posts to the same address.
    """
    return show(request, "ask.html", question)
