"""A tenant with a hundred thousand pieces of work: another's one job waits for a tick and a claim, not for all that."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection

from badgerjobs.runs import dispatch, fleet, lifecycle
from badgerjobs.runs.models import Run, Runnable, State
from badgerjobs.runs.turns import Most, Share
from tests.factories import make_application, make_run, make_runnable
from tests.runs.claims import ME

pytestmark = pytest.mark.django_db(transaction=True)

CROWD = 100_000
FEW = 2


def multiply(row: Runnable | Run, column: str, unlike: str) -> None:
    """As many rows like this one as make a crowd. Their ids are new; one column is an SQL expression over `n`."""
    table = row._meta.db_table
    columns = [str(field.column) for field in row._meta.concrete_fields]
    others = ", ".join(name for name in columns if name not in {"id", column})
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({column}, {others}) SELECT {unlike}, {others}"
            f" FROM {table}, generate_series(2, %s) n WHERE id = %s",
            [CROWD, row.pk],
        )


@pytest.fixture
def now() -> datetime:
    return fleet.database_now()


@pytest.fixture
def crowd(now: datetime) -> Runnable:
    """The first of Alice's; all of them are ahead of whatever is due now."""
    return make_runnable(make_application(), next_run_at=now - timedelta(minutes=1), priority=0)


@pytest.fixture
def quiet(now: datetime) -> Runnable:
    """Charlie's only one, due after all of Alice's and less urgent."""
    return make_runnable(make_application("Charlie's"), next_run_at=now, priority=100)


def test_among_a_hundred_thousand_due_anothers_job_is_queued_within_few_ticks(crowd: Runnable, quiet: Runnable) -> None:
    multiply(crowd, "name", "n::text")

    ticks = 0
    while ticks <= FEW and not Run.objects.of(quiet.pk).exists():
        assert dispatch.tick().queued.total() == dispatch.BATCH
        ticks += 1

    assert ticks <= FEW
    assert Runnable.objects.planned().count() >= CROWD - FEW * dispatch.BATCH


@pytest.mark.parametrize("slots", [1, 50])
def test_behind_a_hundred_thousand_queued_anothers_run_is_claimed_within_few_claims(
    slots: int, now: datetime, crowd: Runnable, quiet: Runnable
) -> None:
    multiply(make_run(crowd, priority=0, due_at=now - timedelta(minutes=1)), "id", "gen_random_uuid()")
    waiting = make_run(quiet, priority=100, due_at=now)

    share, claims, taken = Share(Most(CROWD, CROWD)), 0, set[UUID]()
    while claims <= FEW and waiting.pk not in taken:
        runs = lifecycle.claim(queue="io", worker=ME, limit=slots, now=now, share=share)
        taken |= {run.id for run in runs}
        claims += 1

    assert claims <= FEW
    assert Run.objects.filter(state=State.QUEUED).count() == CROWD + 1 - len(taken)
