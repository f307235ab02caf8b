"""Who reads: the token of a request, looked up in PostgreSQL once a second and not at each read."""

from __future__ import annotations

import hashlib
import time

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from badgerjobs.lib import words
from badgerjobs.web.authentication import bearer_of
from badgerjobs.web.permissions import ensure_scope
from badgerjobs.web.problems import TooMany
from badgerjobs.web.spared_cache import packed
from badgerjobs.workspaces.models import Scope, Token

# Seconds for which a process takes a token for valid that was so: one that is revoked stops within them. One that
# expires stops at its moment.
REMEMBERED_S = 1.0
MOST_REMEMBERED = 10_000

WINDOW_S = 1

# The digest of the header → the token, and until when it is believed.
_remembered: dict[bytes, tuple[Token, float]] = {}


def reader_of(request: HttpRequest) -> Token:
    """The token of a request that may read cached values.

    Raises what DRF's views raise: NotAuthenticated, AuthenticationFailed, PermissionDenied; TooMany where an address
    tries many wrong ones.
    """
    header = request.META.get("HTTP_AUTHORIZATION", "")
    digest = hashlib.sha256(header.encode(errors="replace")).digest()
    known = _remembered.get(digest)
    if known and time.monotonic() < known[1] and not known[0].is_over(timezone.now()):
        return known[0]
    until = time.monotonic() + REMEMBERED_S
    token = ensure_scope(bearer_of(request), Scope.CACHE_READ)
    if len(_remembered) >= MOST_REMEMBERED:
        _remembered.clear()
    _remembered[digest] = token, until
    return token


def commands_to_count(token: Token, reads: int) -> bytes:
    """Commands that count so many more reads of a token in this second. The second of two answers is the count."""
    key = b"badgerjobs:reads:%d:%d" % (token.pk, time.time() // WINDOW_S)
    return packed(b"SET", key, b"0", b"EX", b"2", b"NX") + packed(b"INCRBY", key, b"%d" % reads)


def ensure_within_limit(counted: object) -> None:
    """Raises TooMany, a 429, for one read too many in this second. What could not be counted is let through."""
    most = settings.CACHE_READS_PER_SECOND
    if isinstance(counted, int) and counted > most:
        reads = words.counted(most, "cached value")
        said = f"A token may read {reads} a second, and this one has read more: try again in {{}}."
        raise TooMany(said, WINDOW_S - time.time() % WINDOW_S)
