"""When a run was due, and how late it began: whatever it is for, and whatever moved it since."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.runs.measures import first_due, late_ms
from badgerjobs.runs.models import Cause, Run, State
from tests.factories import NOW

S = timedelta(seconds=1)
LONG_AGO = NOW - timedelta(hours=11)


@pytest.mark.parametrize(
    ("cause", "fields", "due", "late"),
    [
        pytest.param(Cause.MANUAL, {}, NOW, 2000, id="by hand"),
        pytest.param(Cause.SCHEDULE, {"occurrence": NOW - S, "due_at": NOW - S}, NOW - S, 3000, id="an occurrence"),
        pytest.param(Cause.SCHEDULE, {"occurrence": LONG_AGO}, NOW, 2000, id="at its place in its spread"),
        pytest.param(
            Cause.SCHEDULE, {"occurrence": NOW - S, "due_at": NOW + 30 * S, "attempts": 2}, NOW - S, 3000, id="retried"
        ),
        pytest.param(
            Cause.SCHEDULE, {"occurrence": NOW - S, "due_at": NOW + 2 * S}, NOW - S, 3000, id="its host had no room"
        ),
        pytest.param(Cause.MANUAL, {"due_at": NOW + 30 * S, "attempts": 2}, NOW, 2000, id="by hand, retried"),
        pytest.param(Cause.REPLAY, {}, NOW, 2000, id="a replay"),
        pytest.param(Cause.REPLAY, {"due_at": NOW + 1.5 * S}, NOW + 1.5 * S, 500, id="a replay in its turn"),
        pytest.param(Cause.BACKFILL, {"occurrence": LONG_AGO}, NOW, 2000, id="a backfill"),
        pytest.param(
            Cause.BACKFILL, {"occurrence": LONG_AGO, "due_at": NOW + S}, NOW + S, 1000, id="a backfill in its turn"
        ),
        pytest.param(
            Cause.REPLAY, {"due_at": NOW + 30 * S, "attempts": 2}, NOW + 2 * S, None, id="a replay that was retried"
        ),
    ],
)
def test_it_is_late_by_how_long_after_its_time_it_began(
    cause: Cause, fields: dict[str, Any], due: Any, late: float | None
) -> None:
    given = {"due_at": NOW, "created_at": NOW, "started_at": NOW + 2 * S, **fields}
    run = Run(cause=cause, state=State.SUCCEEDED, **given)
    assert (first_due(run), late_ms(run)) == (due, late)


@pytest.mark.parametrize("cause", [Cause.REPLAY, Cause.BACKFILL])
def test_what_waits_for_its_turn_is_due_then_and_not_late(cause: Cause) -> None:
    run = Run(cause=cause, state=State.SCHEDULED, occurrence=LONG_AGO, created_at=NOW, due_at=NOW + 20 * S)
    assert (first_due(run), late_ms(run)) == (NOW + 20 * S, None)


def test_occurrences_that_were_skipped_were_due_from_the_first_on() -> None:
    run = Run(cause=Cause.SCHEDULE, state=State.SKIPPED, occurrence=LONG_AGO, created_at=NOW, due_at=NOW)
    assert first_due(run) == LONG_AGO
