"""What needs a person: opened once, closed when it is well again, kept as long as runs."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs import incidents, many, retention, services
from badgerjobs.runs.models import Incident, Runnable, State, Trouble
from tests.factories import NOW, make_application, make_run, make_runnable
from tests.runs.switching import BOTH_WAYS, HOUR, add, change

pytestmark = pytest.mark.django_db


def unplanned() -> Runnable:
    """One whose schedule could not be computed any more, and can be again."""
    runnable = add(cron="0 * * * *")
    Runnable.objects.filter(pk=runnable.pk).update(next_run_at=None)
    incidents.open_unplanned({runnable.pk: "No such zone."}, now=NOW)
    return runnable


@BOTH_WAYS
def test_what_was_planned_no_more_is_well_again_when_it_is_paused_and_resumed(off: Any, on: Any) -> None:
    runnable = unplanned()
    off(runnable, NOW)
    on(runnable, NOW)
    incident = Incident.objects.get()
    assert (incident.closed_at, incident.closing_told_at) == (NOW, NOW)  # whoever did it knows


def test_what_was_planned_no_more_is_well_again_with_another_schedule() -> None:
    runnable = unplanned()
    change(runnable, NOW, name="another name")
    assert Incident.objects.get().sentence == "It is planned no more: its schedule cannot be computed. No such zone."
    assert Incident.objects.get().closed_at is None
    change(runnable, NOW, cron="5 * * * *")
    assert Incident.objects.get().closed_at == NOW


def test_a_person_who_gives_another_reason_takes_the_breakers_pause_over() -> None:
    runnable = make_runnable(make_application(), enabled=False, breaker="open", paused_until=NOW, failures_in_row=20)
    opening = incidents.Opening(runnable.application_id, runnable.pk, Trouble.PAUSED, "Paused.")
    incidents.open_all([opening], now=NOW)
    change(runnable, NOW, name="another name")
    assert runnable.breaker == "open"
    change(runnable, NOW, pause_reason="They know.", paused_until=None)
    assert (runnable.breaker, runnable.paused_until, runnable.enabled) == ("", None, False)
    assert Incident.objects.get().closed_at == NOW


def test_deleting_what_has_incidents_forgets_them() -> None:
    one, other, third = (make_runnable(make_application(str(n))) for n in range(3))
    openings = [incidents.Opening(r.application_id, r.pk, Trouble.FAILED, "It failed.") for r in (one, other, third)]
    assert incidents.open_all(openings, now=NOW) == 3
    services.delete_runnables([one.pk])
    many.delete_all([other.pk])
    services.delete_application(application=third.application)
    connection.check_constraints()
    assert not Incident.objects.exists()


def test_an_incident_is_open_once_for_each_runnable_and_each_trouble() -> None:
    runnable = make_runnable(make_application())
    mine = incidents.Opening(runnable.application_id, runnable.pk, Trouble.FAILED, "It failed.")
    whole = incidents.Opening(runnable.application_id, None, Trouble.LATE, "It is late.")
    warned = incidents.Opening(runnable.application_id, runnable.pk, Trouble.WARNED, "It keeps failing.")
    assert incidents.open_all([mine, whole], now=NOW) == 2
    assert incidents.open_all([mine, whole, warned], now=NOW + HOUR) == 1
    assert incidents.close_all([(runnable.pk, Trouble.FAILED), (runnable.pk, Trouble.PAUSED)], now=NOW) == 1
    assert incidents.close_all([(runnable.pk, Trouble.FAILED)], now=NOW) == 0
    assert incidents.open_all([mine], now=NOW + HOUR) == 1


def test_closed_incidents_are_kept_as_long_as_runs_and_open_ones_for_ever() -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    application = make_application()
    application.retention_days = 7
    application.save()
    kept = set()
    for number, (days, closed) in enumerate([(30, None), (30, 9), (30, 6), (5, 4)]):
        runnable = make_runnable(application)
        one = Incident.objects.create(
            id=UUID(int=uuid7_floor(now - timedelta(days=days)).int + number),
            application=application,
            runnable=runnable,
            trouble="failed",
            sentence="It failed.",
            opened_at=now - timedelta(days=days),
            closed_at=now - timedelta(days=closed) if closed else None,
        )
        if closed != 9:
            kept.add(one.pk)
    make_run(make_runnable(application), State.SUCCEEDED)
    retention.prune(now=now)
    assert set(Incident.objects.values_list("pk", flat=True)) == kept
