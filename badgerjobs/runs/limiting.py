"""What an application's people decide for all that is in it; of its limits, how much may run at once and begin."""

from datetime import datetime
from typing import Any

from django.db import transaction

from badgerjobs.lib import buckets
from badgerjobs.runs.models import Quota
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.locks import hold_application
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.services import change_application

LIMITS = ("concurrent_runs", "runs_per_minute")
# Of either of them.
MOST_LIMIT = 1_000_000


@transaction.atomic
def change_settings(*, application: Application, by: audit.Actor, now: datetime, **fields: Any) -> None:
    """Change what is given of an application's own fields and of LIMITS, checked. Raises RefusedError when it is gone.

    Its own fields are POLICY_FIELDS and `late_after_s`.
    """
    limits = {name: fields.pop(name) for name in LIMITS if name in fields}
    held = change_application(application=application, by=by, now=now, **fields)
    if limits:
        limit_runs(application=held, by=by, now=now, **{**limits_of(held), **limits})


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
