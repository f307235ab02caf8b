"""Where somebody was last: a cookie that names an application, believed only as far as the gate lets them in."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from badgerjobs.workspaces.models import Application, Member, Workspace

COOKIE = "application"
KEPT_S = 365 * 24 * 3600


def keep(request: HttpRequest, response: HttpResponse, application: Application) -> HttpResponse:
    """Remember an application in the answer, where it is not remembered already."""
    if request.COOKIES.get(COOKIE) != application.slug:
        response.set_cookie(
            COOKIE, application.slug, max_age=KEPT_S, httponly=True, samesite="Lax", secure=settings.BEHIND_PROXY
        )
    return response


def of(request: HttpRequest) -> Application | None:
    """The application where this person was last, the newest one otherwise; None for who has none."""
    mine = Application.objects.for_user(request.user).select_related("workspace")  # type: ignore[arg-type]
    last = mine.filter(slug=request.COOKIES.get(COOKIE, "")).first()
    return last or mine.order_by("-id").first()


def within(request: HttpRequest, workspace: Workspace) -> Application | None:
    """The application of this workspace where this person was last; None when that was elsewhere."""
    slug = request.COOKIES.get(COOKIE)
    mine = Application.objects.for_user(request.user)  # type: ignore[arg-type]
    return mine.filter(workspace=workspace, slug=slug).first() if slug else None


def enter(request: HttpRequest) -> None:
    """Put the place on the request of a page that has none of its own, so that the side leads back to it."""
    application = of(request)
    if application is None:
        return
    request.application, request.workspace = application, application.workspace  # type: ignore[attr-defined]
    mine = Member.objects.of(request.user).filter(workspace=application.workspace)  # type: ignore[arg-type]
    request.member = mine.first()  # type: ignore[attr-defined]
