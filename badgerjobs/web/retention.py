"""How long the API remembers requests, and pages who was signed in."""

from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef

from badgerjobs.web.models import KeyedRequest

KEYS_KEPT = timedelta(hours=24)
BATCH = 5000
# Whoever signs in or changes the password gets a session first and its record a moment later.
IN_MOTION = timedelta(minutes=10)


def forget_keys(*, now: datetime) -> int:
    """Delete requests whose `Idempotency-Key` is kept no longer: the oldest first, one batch. Returns how many."""
    old = KeyedRequest.objects.filter(created_at__lt=now - KEYS_KEPT).order_by("created_at")
    deleted, _ = KeyedRequest.objects.filter(pk__in=old.values("pk")[:BATCH]).delete()
    return deleted


def forget_sessions(*, now: datetime) -> int:
    """Delete sessions that have expired, and what is known of those that are over: a batch of each. Returns how many.

    Who signs out ends the session alone; where and with what they were signed in is forgotten here.
    """
    over = list(Session.objects.filter(expire_date__lt=now).values_list("session_key", flat=True)[:BATCH])
    UserSession.objects.filter(session_key__in=over).delete()
    deleted, _ = Session.objects.filter(session_key__in=over).delete()
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    gone = UserSession.objects.filter(~Exists(alive), last_seen_at__lt=now - IN_MOTION)
    forgotten: int = UserSession.objects.filter(pk__in=gone.values("pk")[:BATCH]).delete()[0]
    return deleted + forgotten
