"""The secret of a hook, which is its address: how it is made, told, and changed with an overlap."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from badgerjobs.lib.tokens import digest_of
from webhooks.models import Hook

SECRET_BYTES = 32  # 256 bits
# For so many seconds the address before leads here too: as long as it takes to tell everybody who calls it.
OVERLAP_S = 86_400
MOST_OVERLAP_S = 7 * 86_400


def new_secret() -> dict[str, Any]:
    """The columns of a hook that has only this secret."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    return {"secret": secret, "digest": digest_of(secret), "previous_digest": None, "previous_until": None}


def turn(hook: Hook, *, now: datetime, overlap_s: int) -> None:
    """Set another secret. The one before leads here for so many seconds more; what was before that, no more at all."""
    before = hook.digest
    for name, value in new_secret().items():
        setattr(hook, name, value)
    if overlap_s:
        hook.previous_digest, hook.previous_until = before, now + timedelta(seconds=overlap_s)


def address_of(hook: Hook, request: HttpRequest) -> str:
    """The address that others call, as whoever asks now reaches us."""
    return request.build_absolute_uri(reverse("hook", args=[hook.secret]))
