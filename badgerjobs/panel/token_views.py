"""The tokens of an application: who has one, what it may do, and a way to end it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from badgerjobs.panel.token_forms import SCOPES, OnceForm, RotateForm, TokenForm
from badgerjobs.web.pages import PageRequest, actor_of, application_page, ask, show
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.issuing import MadeAlreadyError, issue_token, revoke_token, rotate_token
from badgerjobs.workspaces.models import Application, Role, Scope, Token

# So many are shown: an application with more has a program that makes them.
MOST_SHOWN, MOST_OVER_SHOWN = 200, 50


@require_safe
@application_page(Role.EDITOR)
def tokens(request: PageRequest, application: Application) -> HttpResponse:
    """Those that work, and those that are over."""
    now = timezone.now()
    rows = Token.objects.for_application(application).select_related("created_by").order_by("-id")
    context = {
        "usable": _page_of(rows.usable(now), MOST_SHOWN),
        "over": _page_of(rows.over(now), MOST_OVER_SHOWN),
    }
    return show(request, "panel/tokens.html", context)


def _page_of(rows: Any, most: int) -> dict[str, Any]:
    found = list(rows[: most + 1])
    return {"tokens": found[:most], "most": most, "has_more": len(found) > most}


@require_http_methods(["GET", "HEAD", "POST"])
@application_page(Role.ADMIN)
def new_token(request: PageRequest, application: Application) -> HttpResponse:
    """The form of a new one, and its answer: the secret, this once."""
    form = TokenForm(request.POST or None, whose=_whose(request), application=application)

    def make(fields: dict[str, Any]) -> HttpResponse:
        asked = {name: fields[name] for name in ("label", "scopes", "expires_at", "requests_per_second")}
        token, secret = issue_token(
            application=application, by=actor_of(request), now=timezone.now(), slug=fields["form_key"], **asked
        )
        return _shown_once(request, token, secret)

    return _made(request, form, make) or show(request, "panel/token_new.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@application_page(Role.ADMIN)
def rotate(request: PageRequest, application: Application, token_slug: str) -> HttpResponse:
    """A new secret in the place of an old one, which goes on working for a while."""
    old = get_object_or_404(Token.objects.for_application(application), slug=token_slug)
    old.application = application
    form = RotateForm(request.POST or None, whose=_whose(request))

    def make(fields: dict[str, Any]) -> HttpResponse:
        token, secret = rotate_token(
            token=old, by=actor_of(request), now=timezone.now(), overlap=fields["overlap"], slug=fields["form_key"]
        )
        old.refresh_from_db(fields=["expires_at", "revoked_at"])
        return _shown_once(request, token, secret, old=old)

    context = {"form": form, "token": old, "is_over": old.is_over(timezone.now())}
    return _made(request, form, make) or show(request, "panel/token_rotate.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@application_page(Role.ADMIN)
def revoke(request: PageRequest, application: Application, token_slug: str) -> HttpResponse:
    """Ask, then end it at once."""
    token = get_object_or_404(Token.objects.for_application(application), slug=token_slug)
    token.application = application
    back = reverse("panel:tokens", args=[application.slug])
    if request.method != "POST":
        return ask(
            request,
            title=f"Revoke {token.label}?",
            text=f"Whoever uses {token.prefix}… gets a 401 from the next request on. There is no way back.",
            confirm="Revoke the token",
            back=back,
            danger=True,
        )
    if revoke_token(token=token, by=actor_of(request), now=timezone.now()):
        messages.success(request, f"{token} is over: it opens nothing any more.")
    else:
        messages.info(request, f"{token} was revoked already.")
    return redirect(back)


def _made(request: PageRequest, form: OnceForm, make: Callable[[dict[str, Any]], HttpResponse]) -> HttpResponse | None:
    """The answer to a form that was filled in right; None where it is to be shown, perhaps with what is wrong."""
    if request.method != "POST" or not form.is_valid():
        return None
    try:
        return make(form.cleaned_data)
    except MadeAlreadyError as error:
        return show(request, "panel/token_made_already.html", {"token": error.token})
    except RefusedError as error:
        form.add_error(None, str(error))
        return None


def _shown_once(request: PageRequest, token: Token, secret: str, old: Token | None = None) -> HttpResponse:
    """The page with the secret: the one answer that has it. `show` forbids everybody on the way to keep it."""
    context = {
        "token": token,
        "secret": secret,
        "old": old,
        "scopes": [SCOPES[Scope(scope)] for scope in token.scopes],
        "example": _example(request, token, secret),
    }
    return show(request, "panel/token_made.html", context)


def _example(request: HttpRequest, token: Token, secret: str) -> str:
    """A curl for what this token may do; one that only reads cached values is told where the key's name goes."""
    authorization = f"-H 'Authorization: Bearer {secret}'"
    jobs = request.build_absolute_uri("/api/v1/jobs/")
    if token.may(Scope.READ):
        return f"curl {jobs} \\\n  {authorization}"
    if token.may(Scope.WRITE):
        body = '{"endpoint": "https://example.com/", "verb": "GET"}'
        kind = "-H 'Content-Type: application/json'"
        return f"curl -X PUT {jobs}hello/ \\\n  {authorization} \\\n  {kind} \\\n  -d '{body}'"
    return f"curl {request.build_absolute_uri('/api/v1/cache/KEY')} \\\n  {authorization}"


def _whose(request: PageRequest) -> str:
    return f"{request.user.pk}:{request.application.slug}"
