"""Who is called: the hook at an address, with all that acceptance needs to know of it, in one statement."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from django.conf import settings as installation
from django.db import connection

from badgerjobs.lib import vault

# No secret of ours is longer.
LONGEST_SECRET = 100

# The database's clock comes along.
_FIND = """
SELECT h.application_id, h.runnable_id, h.id, h.methods, h.rate, h.max_bytes, h.challenge, h.verification, h.settings,
       h.repeats, h.repeats_header, h.repeats_window_s, h.response, h.response_status, h.response_type, h.response_body,
       h.task_id IS NOT NULL OR h.transform <> '' OR h.actions <> '[]'::jsonb, o.enabled, a.requests_per_second,
       clock_timestamp()
FROM webhooks_hook h
JOIN runs_runnable o ON o.id = h.runnable_id
JOIN workspaces_application a ON a.id = h.application_id
WHERE h.digest = %(digest)s OR (h.previous_digest = %(digest)s AND h.previous_until > clock_timestamp())
"""


@dataclass(frozen=True)
class Addressed:
    """A hook as it was at the moment `now`: its columns (webhooks/models/hook.py), and a few of what it belongs to.

    `secret` is the one by which it was called, `sealed` are its settings as they are stored, `written_methods` its
    methods. `acts` says whether a run of a delivery has anything to do, `enabled` is that of its runnable,
    `requests_per_second` that of its application.
    """

    secret: str = field(repr=False)
    application_id: int
    runnable_id: int
    id: int
    written_methods: str
    rate: int | None
    max_bytes: int
    challenge: str
    verification: str
    sealed: str = field(repr=False)
    repeats: str
    repeats_header: str
    repeats_window_s: int
    response: str
    response_status: int
    response_type: str
    response_body: str
    acts: bool
    enabled: bool
    requests_per_second: int | None
    now: datetime

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """Those of its verification, in the clear. Raises `vault.CannotDecryptError`."""
        if not self.sealed:
            return {}
        found: Mapping[str, Any] = json.loads(vault.decrypt(self.sealed, installation.ENCRYPTION_KEYS))
        return found

    @cached_property
    def methods(self) -> list[str]:
        """Those that it takes."""
        found: list[str] = json.loads(self.written_methods)
        return found


def find(secret: str) -> Addressed | None:
    """The hook whose address this is the secret of, or was until a moment that has not come; None where it is none."""
    if len(secret) > LONGEST_SECRET:
        return None
    digest = sha256(secret.encode(errors="surrogatepass")).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(_FIND, {"digest": digest})
        row = cursor.fetchone()
    return Addressed(secret, *row) if row else None
