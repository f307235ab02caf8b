"""Answers with values: which headers say what of them."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.utils.http import http_date, parse_etags, parse_http_date_safe

from badgerjobs.web.problems import Invalid
from tasks.cache.freshness import Stored

# Bytes that one answer may have.
MOST_BYTES = 32 * 1024 * 1024

TOO_LARGE = f"The values of these keys have more than {MOST_BYTES:,} bytes together. Ask for fewer at once."

JSON = "application/json"

# Another token reads other values at the same address.
VARY = "Authorization"


def one(request: HttpRequest, value: Stored, how: str, now: float) -> HttpResponse:
    """A value as it is stored; a 304 for who has it."""
    etag = f'"{value.etag}"'
    response = HttpResponse(content_type=JSON)
    headers = response.headers
    headers["ETag"] = etag
    headers["Last-Modified"] = _date(int(value.changed_at))
    headers["Age"] = str(max(0, int(now - value.fetched_at)))
    headers["Cache-Control"] = _policy(value.ttl_s, value.while_revalidate_s, value.if_error_s)
    headers["Vary"] = VARY
    headers["X-Cache"] = how
    if _has_it(request.META, etag, value.changed_at):
        response.status_code = 304
        del headers["Content-Type"]
        return response
    body = value.body or b""
    headers["Content-Length"] = str(len(body))
    if request.method != "HEAD":
        response.content = body
    return response


def _has_it(given: Mapping[str, str], etag: str, changed_at: float) -> bool:
    """Whether the asker has this very value. What they say of its hash goes before what they say of its time."""
    if (hashes := given.get("HTTP_IF_NONE_MATCH")) is not None:
        return hashes.strip() == "*" or etag in [one.removeprefix("W/") for one in parse_etags(hashes)]
    if (moment := given.get("HTTP_IF_MODIFIED_SINCE")) is not None:
        since = parse_http_date_safe(moment)
        return since is not None and int(changed_at) <= since
    return False


@lru_cache(10_000)
def _date(moment: int) -> str:
    return http_date(moment)


@lru_cache(10_000)
def _policy(ttl_s: int | None, while_revalidate_s: int | None, if_error_s: int | None) -> str:
    """How long the asker may keep it, for itself alone.

    `max-age` counts from when the value was fetched, as `Age` does: what is left of it is their difference. What is
    fresh until a task brings another may change at any moment: it is asked for anew, and answered by a 304.
    """
    if ttl_s is None:
        return "private, no-cache"
    longer = {"stale-while-revalidate": while_revalidate_s, "stale-if-error": if_error_s}
    return ", ".join(
        ["private", f"max-age={ttl_s}", *(f"{name}={seconds}" for name, seconds in longer.items() if seconds)]
    )


def many(request: HttpRequest, bodies: Sequence[bytes], told: Mapping[str, Sequence[str]]) -> HttpResponse:
    """Values, each beside its name and as it is stored: none is read on the way.

    `told` is what holds for other names, and for some of these → names.
    """
    rest = json.dumps(told).encode()[1:]
    body = b'{"values":{' + b",".join(bodies) + b"}," + rest
    headers = {"Cache-Control": "private, no-store", "Vary": VARY}
    headers["Content-Length"] = str(len(body))
    return HttpResponse(b"" if request.method == "HEAD" else body, content_type=JSON, headers=headers)


def ensure_sendable(size: int) -> None:
    """Raises Invalid, a 400, for more than one answer may have."""
    if size > MOST_BYTES:
        raise Invalid(keys=TOO_LARGE)
