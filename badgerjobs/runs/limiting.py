"""What an application's people decide of its limits: how much of it may run at once, and begin in a minute."""

from datetime import datetime
from typing import Any

from django.db import transaction

from badgerjobs.lib import buckets
from badgerjobs.runs.models import Quota
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.locks import hold_application
from badgerjobs.workspaces.models import Application

LIMITS = ("concurrent_runs", "runs_per_minute")


def limits_of(application: Application) -> dict[str, int | None]:
    """LIMITS of an application; None: it has no such limit."""
    found = Quota.objects.filter(application=application).values(*LIMITS).first()
    return {name: found[name] if found else None for name in LIMITS}


@transaction.atomic
def limit_runs(
    *,
    application: Application,
    concurrent_runs: int | None,
    runs_per_minute: int | None,
    by: audit.Actor,
    now: datetime,
) -> None:
    """Set both limits; None: no such limit. They hold from the next claim on. Raises RefusedError when it is gone."""
    held = hold_application(application)
    before = limits_of(held)
    after: dict[str, Any] = {"concurrent_runs": concurrent_runs, "runs_per_minute": runs_per_minute}
    if not (changes := audit.difference(before, after)):
        return
    rows = Quota.objects.filter(application=held)
    if runs_per_minute is not None and before["runs_per_minute"] is None:
        after |= {"tokens": buckets.most(runs_per_minute), "filled_at": now}
    if concurrent_runs is None and runs_per_minute is None:
        rows.delete()
    elif not rows.update(**after):
        Quota.objects.create(application=held, **{"filled_at": now, **after})
    audit.record(by=by, action="application.change", subject=held.name, now=now, application=held, changes=changes)
