"""How long the API remembers requests, and pages who was signed in."""

from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from badgerjobs.web.models import KeyedRequest

KEYS_KEPT = timedelta(hours=24)
BATCH = 5000


def forget_keys(*, now: datetime) -> int:
    """Delete requests whose `Idempotency-Key` is kept no longer: the oldest first, one batch. Returns how many."""
    old = KeyedRequest.objects.filter(created_at__lt=now - KEYS_KEPT).order_by("created_at")
    deleted, _ = KeyedRequest.objects.filter(pk__in=old.values("pk")[:BATCH]).delete()
    return deleted


def forget_sessions(*, now: datetime) -> int:
    """Delete sessions that have expired: one batch. Returns how many."""
    over = list(Session.objects.filter(expire_date__lt=now).values_list("session_key", flat=True)[:BATCH])
    if not over:
        return 0
    UserSession.objects.filter(session_key__in=over).delete()
    deleted, _ = Session.objects.filter(session_key__in=over).delete()
    return deleted
