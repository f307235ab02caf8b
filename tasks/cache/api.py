"""The two addresses that programs read values from. Plain views and not DRF's: they are asked more than all others.

What they refuse, they refuse in the words of the others. `reference.py` describes them.
"""

import json
import time
from collections import Counter
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from io import BytesIO
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException, MethodNotAllowed, UnsupportedMediaType

from badgerjobs.web import problems
from badgerjobs.web.authentication import CHALLENGE
from badgerjobs.web.parsers import ObjectParser
from badgerjobs.workspaces.models import Token
from tasks.cache import answers, counting, filling, reading
from tasks.cache.callers import reader_of
from tasks.cache.freshness import SERVED, Verdict, verdict
from tasks.cache.reference import KeysSerializer, ValuesView, ValueView
from tasks.cache.refusals import BeingFetchedError, NoKeyError, SourceFailsError

View = Callable[..., HttpResponse]


def _told(methods: tuple[str, ...], described: type) -> Callable[[View], View]:
    """Decorate a view for tokens: what it raises is answered as DRF's views answer, and it may be called by no form."""

    def decorated(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def told(request: HttpRequest, **given: Any) -> HttpResponse:
            try:
                token = reader_of(request)
                if request.method not in methods:
                    raise MethodNotAllowed(str(request.method))
                return view(request, token, **given)
            except APIException as error:
                return _refused(error, methods)

        # What walks all addresses, and the reference, see it as they see DRF's.
        told.cls, told.initkwargs = described, {}  # type: ignore[attr-defined]
        return told

    return decorated


def _refused(error: APIException, methods: tuple[str, ...]) -> HttpResponse:
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        error.auth_header = CHALLENGE  # type: ignore[attr-defined]
    response = problems.refused(error)
    if isinstance(error, MethodNotAllowed):
        response["Allow"] = ", ".join(methods)
    return response


@_told(("GET", "HEAD"), ValueView)
def value(request: HttpRequest, token: Token, name: str) -> HttpResponse:
    """The JSON under a key, as it is stored."""
    now = time.time()
    found = reading.one(token, name)
    if found is None:
        raise NoKeyError(name)
    how = verdict(found, now)
    application_id = token.application_id
    if how in SERVED:
        counting.count(application_id, now, how)
        if how is Verdict.STALE:
            filling.ask_for([found.key_id])
        return answers.one(request, found, how, now)
    counting.count(application_id, now, counting.MISS)
    if how is Verdict.UNFILLED:
        found = filling.first_value(application_id, name, found.key_id)
        return answers.one(request, found, counting.MISS, time.time())
    filling.ask_for([found.key_id])
    raise SourceFailsError(found.error) if how is Verdict.FAILING else BeingFetchedError


@_told(("GET", "HEAD", "POST"), ValuesView)
def values(request: HttpRequest, token: Token) -> HttpResponse:
    """The JSON under each of many keys, beside its name. What is missing is asked for, and nobody waits for it."""
    names = list(dict.fromkeys(_names(request)))
    now = time.time()
    bodies: list[bytes] = []
    told: dict[str, list[str]] = {"stale": [], "missing": []}
    wanted: list[int] = []
    went: Counter[str] = Counter()
    size = 0
    for name, found in reading.many(token, names):
        how = verdict(found, now) if found else None
        if found is not None and how is not Verdict.HIT:
            wanted.append(found.key_id)
        if found is None or how not in SERVED:
            told["missing"].append(name)
        else:
            if how is Verdict.STALE:
                told["stale"].append(name)
            bodies.append(json.dumps(name).encode() + b":" + (found.body or b""))
            size += len(bodies[-1])
            answers.ensure_sendable(size)
        if found is not None:
            went[how if how in SERVED else counting.MISS] += 1
    for one, times in went.items():
        counting.count(token.application_id, now, one, times)
    if wanted:
        filling.ask_for(wanted)
    return answers.many(request, bodies, told)


def _names(request: HttpRequest) -> list[str]:
    """Raises ParseError, UnsupportedMediaType and ValidationError."""
    if request.method != "POST":
        given: Any = {"keys": request.GET.getlist("key")}
    elif request.content_type != "application/json":
        raise UnsupportedMediaType(request.content_type or "")
    else:
        given = ObjectParser().parse(BytesIO(request.body), None, {"encoding": "utf-8"})
    checked = KeysSerializer(data=given)
    checked.is_valid(raise_exception=True)
    names: list[str] = checked.validated_data["keys"]
    return names
