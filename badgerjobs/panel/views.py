"""The front door, an application's overview and first steps, and what belongs to no app in particular."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from badgerjobs.panel import last_place, welcome
from badgerjobs.panel.overview import Overview, range_named
from badgerjobs.panel.ranges import RANGES
from badgerjobs.panel.refusals import gone_is_404
from badgerjobs.panel.token_forms import OnceForm
from badgerjobs.web import error_pages, problems
from badgerjobs.web.pages import PageRequest, actor_of, application_page, only_posted, show
from badgerjobs.workspaces.issuing import MadeAlreadyError, issue_token
from badgerjobs.workspaces.models import Application, Role, Scope, Token

YEAR_S = 365 * 24 * 3600
# What of the overview asks for itself.
PARTS = {"needs", "figures", "live", "day", "next", "kinds"}


@problems.only_reading
def front_door(request: HttpRequest) -> HttpResponse:
    """Send people to where they were last, or to sign in; tell programs where things are."""
    if not error_pages.wants_page(request):
        places = {"api": "/api/v1/", "schema": "/api/v1/schema/", "health": "/healthz"}
        return JsonResponse(
            {"name": "Badger Jobs", **{name: request.build_absolute_uri(at) for name, at in places.items()}}
        )
    if not request.user.is_authenticated:
        return redirect("account_login")
    application = last_place.of(request)
    return redirect("panel:overview", application.slug) if application else redirect("panel:workspaces")


@require_safe
@application_page(Role.VIEWER)
def overview(request: PageRequest, application: Application) -> HttpResponse:
    """What needs a person, and what runs; the first steps while there is nothing that could run."""
    chosen = range_named(request.GET.get("range", ""))
    shown = Overview(application, chosen, now=timezone.now(), place=timezone.get_current_timezone())
    part = request.headers.get("HX-Target", "")
    if part == "first-run" or (part not in PARTS and not shown.has_anything):
        response = _first_steps(request, application)
    else:
        response = show(request, "panel/overview.html", {"overview": shown, "ranges": RANGES.values()})
    return response if part else last_place.keep(request, response, application)


def _first_steps(request: PageRequest, application: Application, secret: str = "") -> HttpResponse:
    context = {
        "secret": secret,
        "form": OnceForm(whose=_whose(request)),
        "tokens": Token.objects.for_application(application).usable(timezone.now()).order_by("-id")[:1],
        "examples": lambda: welcome.examples(request, secret),
        "placeholder": welcome.TOKEN,
        "endpoint": welcome.endpoint(),
        "is_ours": settings.DEMO,
        "first_run": lambda: welcome.first_run(application),
    }
    return show(request, "panel/welcome.html", context)


@gone_is_404
@application_page(Role.ADMIN)
@only_posted
def first_token(request: PageRequest, application: Application) -> HttpResponse:
    """Make a token and show it in the first steps: the one answer that has it."""
    form = OnceForm(request.POST, whose=_whose(request))
    if not form.is_valid():
        return redirect("panel:overview", application.slug)
    try:
        _, secret = issue_token(
            application=application, label="First steps", scopes=[Scope.READ, Scope.WRITE],
            by=actor_of(request), now=timezone.now(), slug=form.cleaned_data["form_key"],
        )  # fmt: skip
    except MadeAlreadyError as error:
        return show(request, "panel/token_made_already.html", {"token": error.token}, status=409)
    return _first_steps(request, application, secret)


def _whose(request: PageRequest) -> str:
    return f"{request.user.pk}:{request.application.slug}:first"


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """Which keys do what, in the place where one was."""
    if request.user.is_authenticated:
        last_place.enter(request)
    return show(request, "panel/keys.html")


@only_posted
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Remember system, light or dark in a cookie. Scripts write the same cookie themselves."""
    back = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    response = HttpResponseRedirect(back if is_ours else "/")
    theme = request.POST.get("theme", "")
    if theme in {"light", "dark"}:
        response.set_cookie("theme", theme, max_age=YEAR_S, samesite="Lax", secure=settings.BEHIND_PROXY)
    else:
        response.delete_cookie("theme")
    return response
