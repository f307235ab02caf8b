"""How long the API remembers requests."""

from datetime import datetime, timedelta

from badgerjobs.web.models import KeyedRequest

KEYS_KEPT = timedelta(hours=24)
BATCH = 5000


def forget_keys(*, now: datetime) -> int:
    """Delete requests whose `Idempotency-Key` is kept no longer: the oldest first, one batch. Returns how many."""
    old = KeyedRequest.objects.filter(created_at__lt=now - KEYS_KEPT).order_by("created_at")
    deleted, _ = KeyedRequest.objects.filter(pk__in=old.values("pk")[:BATCH]).delete()
    return deleted
