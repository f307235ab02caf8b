"""Runs that were handed back because their host had no room: they are not over, and the next occurrence minds."""

from datetime import timedelta

import pytest

from badgerjobs.runs import dispatch, fleet
from badgerjobs.runs.models import Cause, Overlap, Run, Runnable, State
from tests.factories import make_application, make_run, make_runnable

pytestmark = pytest.mark.django_db


def due(overlap: Overlap, cause: Cause = Cause.SCHEDULE) -> tuple[Runnable, Run]:
    """Something that is due, with a run that waits until its host has room."""
    now = fleet.database_now()
    last = now - timedelta(seconds=1)
    runnable = make_runnable(
        make_application(), run_every="PT1H", anchor=last - timedelta(hours=1), next_run_at=last, overlap=overlap
    )
    return runnable, make_run(runnable, State.SCHEDULED, cause=cause, due_at=now + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("overlap", "then"),
    [
        (Overlap.SKIP, ("scheduled", "skipped")),
        (Overlap.QUEUE_ONE, ("scheduled", "queued")),
        (Overlap.QUEUE_ALL, ("scheduled", "queued")),
        (Overlap.CANCEL_RUNNING, ("aborted", "queued")),
        (Overlap.ALLOW, ("scheduled", "queued")),
    ],
)
def test_the_next_occurrence_overlaps_with_it(overlap: Overlap, then: tuple[str, str]) -> None:
    runnable, put_off = due(overlap)

    dispatch.tick()

    put_off.refresh_from_db()
    assert (put_off.state, Run.objects.of(runnable.pk).exclude(pk=put_off.pk).get().state) == then


def test_what_waits_for_another_reason_is_no_overlap() -> None:
    runnable, _ = due(Overlap.SKIP, Cause.REPLAY)

    dispatch.tick()

    assert Run.objects.of(runnable.pk).get(cause=Cause.SCHEDULE).state == State.QUEUED
