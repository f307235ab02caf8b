"""One shape for every error of the API: `application/problem+json` (RFC 9457).

    {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "…", "errors": {"cron": ["…"]}}

`errors` stands there when fields are at fault: name → sentences. What a service refuses is `Conflict` or `Invalid`;
what is asked for too often is `TooMany`.
"""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from itertools import islice
from math import ceil
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import is_valid_path
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response

from badgerjobs.lib import words

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"

LONGEST_SENTENCE = 2000
MOST_ERRORS = 20


class Conflict(exceptions.APIException):
    """What was asked cannot be done in the present state of the thing."""

    status_code = HTTPStatus.CONFLICT
    default_detail = "This cannot be done now."


class Refused(exceptions.APIException):
    """What cannot be taken as it is, by its status."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status_code = status


class TooMany(exceptions.Throttled):
    """More than may be asked for now, a 429. `{}` in the sentence becomes how long to wait: `2 seconds`."""

    def __init__(self, sentence: str, wait_s: float) -> None:
        super().__init__(wait_s)
        said = sentence.format(words.counted(max(1, ceil(wait_s)), "second"))
        self.detail = exceptions.ErrorDetail(said, self.default_code)  # DRF's has a sentence of its own behind it


class Invalid(exceptions.ValidationError):
    """Field → sentence. Raised by services for what only they can see."""

    def __init__(self, **errors: str) -> None:
        super().__init__({field: [sentence] for field, sentence in errors.items()})


def body(status: int, detail: str, errors: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """The problem as a dict, ready to be serialized."""
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _sendable(detail),
    }
    if errors:
        problem["errors"] = {_sendable(field): list(map(_sendable, said)) for field, said in errors.items()}
    return problem


def _sendable(text: str) -> str:
    # What is quoted from the request may be a megabyte long. Half of a surrogate pair cannot be written as UTF-8.
    text = text if len(text) <= LONGEST_SENTENCE else f"{text[:LONGEST_SENTENCE]}…"
    return text.encode(errors="backslashreplace").decode()


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook: every exception that a view raises becomes a problem, unexpected ones without their trace."""
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is nothing here.")
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return _unexpected(error, context)
    return _answer(*_refusal(error))


def _refusal(error: exceptions.APIException) -> tuple[dict[str, Any], dict[str, str]]:
    """The problem, with its headers, of what is refused."""
    found = _field_errors(error.detail) if isinstance(error, exceptions.ValidationError) else None
    errors = None if found is None else dict(islice(found.items(), MOST_ERRORS))
    # What is refused by an app that has words of its own for machines says them beside what every problem has.
    members: dict[str, Any] = getattr(error, "members", {})
    return body(error.status_code, _detail(error, errors), errors) | members, _headers(error)


def _unexpected(error: Exception, context: dict[str, Any]) -> Response:
    logger.error("%s failed", context["view"].__class__.__name__, exc_info=error)
    problem, headers = _ours(error)
    return _answer(problem, headers)


def _ours(error: BaseException | None) -> tuple[dict[str, Any], dict[str, str]]:
    """The problem, with its headers, of an error that is our fault."""
    if isinstance(error, OperationalError | InterfaceError):
        return body(503, "The database cannot answer now. Try again in a moment."), {"Retry-After": "5"}
    return body(500, "Something went wrong on our side. It has been logged."), {}


def _answer(problem: dict[str, Any], headers: dict[str, str]) -> Response:
    response = Response(problem, status=problem["status"], headers=headers)
    response.content_type = CONTENT_TYPE
    return response


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(max(1, int(wait)))
    return headers


def _detail(error: exceptions.APIException, errors: dict[str, list[str]] | None) -> str:
    if isinstance(error, exceptions.UnsupportedMediaType):
        return f"{error.detail} Send JSON, with `Content-Type: application/json`."
    if errors is None:
        return str(error.detail)
    return " ".join(f"{field}: {sentences[0]}" for field, sentences in errors.items())


def _field_errors(detail: Any, path: str = "") -> dict[str, list[str]]:
    """Flatten DRF's nested details: `{"a": {"b": ["…"]}}` → `{"a.b": ["…"]}`."""
    if isinstance(detail, dict):
        nested = [_field_errors(value, f"{path}.{key}" if path else str(key)) for key, value in detail.items()]
        return {field: sentences for errors in nested for field, sentences in errors.items()}
    sentences = detail if isinstance(detail, list) else [detail]
    return {path or "body": [str(sentence) for sentence in sentences]}


def page(request: HttpRequest, status: int, detail: str, headers: Mapping[str, str] | None = None) -> HttpResponse:  # noqa: ARG001
    """A problem outside DRF: unknown addresses and errors of the framework itself."""
    return HttpResponse(json.dumps(body(status, detail)), status=status, content_type=CONTENT_TYPE, headers=headers)


def refused(error: exceptions.APIException) -> HttpResponse:
    """What DRF's views answer when this is raised, for a view that is none of them."""
    problem, headers = _refusal(error)
    return HttpResponse(json.dumps(problem), status=problem["status"], content_type=CONTENT_TYPE, headers=headers)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Django's `handler404`. Everybody forgets the slash once."""
    if is_valid_path(f"{request.path_info}/"):
        return page(request, 404, f"There is nothing here. Did you mean {request.path_info}/, with a slash at its end?")
    if is_valid_path(shorter := request.path_info.removesuffix("/")):
        return page(request, 404, f"There is nothing here. Did you mean {shorter}, without a slash at its end?")
    return page(request, 404, "There is nothing here. The list of addresses is at /api/v1/schema/.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Django's `handler400`."""
    return page(request, 400, "The request could not be read.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`; called while the exception is being handled."""
    problem, headers = _ours(sys.exception())
    return page(request, problem["status"], problem["detail"], headers)


def only_reading(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Decorate a view outside DRF that changes nothing: other methods are a 405."""

    @csrf_exempt
    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return page(request, 405, "This address can be read, and nothing else.", {"Allow": "GET, HEAD"})
        return view(request)

    return checked
