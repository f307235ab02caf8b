"""How a key stands: its value is fresh, stale, not there yet, or could not be fetched the last time."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Q, Value

from tasks.models import CachedValue, CacheKey


class KeyState(models.TextChoices):
    """Each key is in one. One whose last try failed is `failed`, whatever is still there from before."""

    FRESH = "fresh", "Fresh"
    STALE = "stale", "Stale"
    UNFILLED = "unfilled", "Never filled"
    FAILED = "failed", "Failing"


def state_of(key: CacheKey, value: CachedValue, now: datetime) -> KeyState:
    """Which one this key is in now."""
    if value.error_class:
        return KeyState.FAILED
    if value.fetched_at is None:
        return KeyState.UNFILLED
    expires_at = expiry_of(key, value)
    return KeyState.FRESH if expires_at is None or expires_at > now else KeyState.STALE


def expiry_of(key: CacheKey, value: CachedValue) -> datetime | None:
    """When its value is no longer fresh. None where it never is less so, or was never fetched."""
    if value.fetched_at is None or key.ttl_s is None:
        return None
    return value.fetched_at + timedelta(seconds=key.ttl_s)


def standing(state: str, now: datetime) -> Q:
    """What holds for the keys that are in this state now."""
    is_failing, is_well = Q(value__error_class__gt=""), Q(value__error_class="")
    is_filled = Q(value__fetched_at__isnull=False)
    is_expired = Q(ttl_s__isnull=False) & Q(value__fetched_at__lte=_fresh_since(now))
    return {
        KeyState.FAILED: is_failing,
        KeyState.UNFILLED: is_well & ~is_filled,
        KeyState.STALE: is_well & is_filled & is_expired,
        KeyState.FRESH: is_well & is_filled & (Q(ttl_s__isnull=True) | Q(value__fetched_at__gt=_fresh_since(now))),
    }[KeyState(state)]


def _fresh_since(now: datetime) -> Any:
    """Of a key with a time to live: what was fetched after this moment is fresh."""
    ttl = ExpressionWrapper(F("ttl_s") * Value(timedelta(seconds=1)), DurationField())
    return ExpressionWrapper(Value(now) - ttl, DateTimeField())
