"""How long the audit log goes back."""

from datetime import datetime, timedelta

from django.conf import settings

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.workspaces.models import AuditEntry

BATCH = 5000


def forget_entries(*, now: datetime) -> int:
    """Delete what the audit log says of before `AUDIT_DAYS`: the oldest first, one batch. Returns how many."""
    # Ids are made in the order of time, so the primary key finds the old ones.
    old = AuditEntry.objects.filter(id__lt=uuid7_floor(now - timedelta(days=settings.AUDIT_DAYS))).order_by("id")
    deleted, _ = AuditEntry.objects.filter(pk__in=old.values("pk")[:BATCH]).delete()
    return deleted
