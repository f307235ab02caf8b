"""The page on which a member asks GraphQL by hand, with the rights that they have in the panel."""

import json
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import APIException, PermissionDenied

from badgerjobs.graphql.answering import BAD_VARIABLES, answer, as_json
from badgerjobs.graphql.schema import SDL
from badgerjobs.web.graphql import Asker
from badgerjobs.web.pages import PageRequest, actor_of, application_page, show
from badgerjobs.workspaces.models import Application, Role, Scope

EXAMPLE = """{
  jobs(limit: 10) {
    name
    enabled
    nextRunAt
    jobResults(limit: 1) {
      status
      runAt
      duration
    }
  }
}
"""
ONLY_LOOKS = "Your role allows no mutations here: they need “Editor”. Queries are answered."
# So many characters of an answer are shown; a program gets all of them.
LONGEST_SHOWN = 200_000


@require_http_methods(["GET", "HEAD", "POST"])
@application_page(Role.VIEWER)
def explorer(request: PageRequest, application: Application) -> HttpResponse:
    """Show what to ask with; or ask, and show what came of it beside it."""
    query, variables = request.POST.get("query", EXAMPLE), request.POST.get("variables", "")
    told = _answered(request, application, query, variables) if request.method == "POST" else None
    text = "" if told is None else as_json(told, indent=2)
    context = {
        "query": query,
        "variables": variables,
        "answer": text[:LONGEST_SHOWN],
        "is_cut": len(text) > LONGEST_SHOWN,
        "sentences": [_sentence(error) for error in (told or {}).get("errors", ())],
        "address": request.build_absolute_uri("/graphql"),
        "sdl": SDL.strip(),
    }
    return show(request, "graphql/page.html", context)


def _sentence(error: dict[str, Any]) -> str:
    """What is wrong, and where it begins in what was asked: the editor marks that line."""
    places = error.get("locations")
    place = f" (line {places[0]['line']}, column {places[0]['column']})" if places else ""
    return f"{error['message']}{place}"


def _answered(request: PageRequest, application: Application, query: str, variables: str) -> dict[str, Any]:
    scopes = {Scope.READ, Scope.WRITE, Scope.BACKGROUND_DELETE} if request.member.may(Role.EDITOR) else {Scope.READ}
    asker = Asker(application, actor_of(request), frozenset(scopes))
    try:
        return answer(asker, query, json.loads(variables) if variables.strip() else None)
    except (ValueError, RecursionError):
        return {"errors": [{"message": f"{BAD_VARIABLES} As JSON, like {{}}."}]}
    except PermissionDenied:
        return {"errors": [{"message": ONLY_LOOKS}]}
    except APIException as refused:
        return {"errors": [{"message": str(refused.detail)}]}
