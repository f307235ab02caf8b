"""Takes back what is in the hands of workers that are gone."""

from uuid import UUID

from django.db import transaction

from badgerjobs.runs import fleet, lifecycle
from badgerjobs.runs.models import Worker


@transaction.atomic
def rescue() -> set[UUID]:
    """Queue again the runs of workers not seen for a lease, and forget workers not seen for much longer."""
    now = fleet.database_now()
    rescued = lifecycle.rescue(unseen_since=now - fleet.LEASE, now=now)
    Worker.objects.filter(seen_at__lt=now - fleet.FORGET).delete()
    return rescued
