"""How many runs of a definition are under way at once."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs import fleet, lifecycle
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.models import Application
from tasks.background import perform
from tasks.models import BackgroundRun
from tests.factories import NOW, make_application, make_background_run
from tests.runs.together import behind, together
from tests.tasks.background.defined import define

pytestmark = pytest.mark.usefixtures("registry")


def claim(limit: int = 100, worker: UUID | None = None) -> list[Claimed]:
    """What a worker takes and performs: what is put off is not among it."""
    with transaction.atomic():
        claimed = lifecycle.claim(queue="compute", worker=worker or uuid7(), limit=limit, now=NOW)
        loaded = perform.load(claimed)
    return [run for run in claimed if run.id in loaded]


def abort(*rows: BackgroundRun) -> None:
    lifecycle.abort([row.pk for row in rows], now=NOW, reason="x")


def states() -> Counter[str]:
    return Counter(Run.objects.values_list("state", flat=True))


def test_no_more_than_so_many_are_taken_and_the_oldest_first(shop: Application) -> None:
    define(concurrency=2)
    rows = [make_background_run(shop) for _ in range(4)]
    assert {run.id for run in claim()} == {row.pk for row in rows[:2]}
    assert states() == {"running": 2, "scheduled": 2}
    assert [row.is_parked for row in BackgroundRun.objects.order_by("pk")] == [False, False, True, True]
    assert [row.has_place for row in BackgroundRun.objects.order_by("pk")] == [True, True, False, False]
    assert claim() == []


def test_what_waits_for_a_place_has_not_begun(shop: Application) -> None:
    define(concurrency=1)
    make_background_run(shop)
    parked = make_background_run(shop)
    claim()
    run = Run.objects.get(pk=parked.pk)
    parked.refresh_from_db()
    assert (run.started_at, run.worker, run.attempts, run.iteration, parked.iterations) == (None, None, 0, 1, 0)
    assert run.due_at > fleet.database_now()


def test_without_a_limit_all_are_taken(shop: Application) -> None:
    define()
    rows = [make_background_run(shop) for _ in range(4)]
    assert len(claim()) == len(rows)
    assert not BackgroundRun.objects.filter(has_place=True).exists()


def test_applications_and_definitions_do_not_wait_for_each_other(shop: Application) -> None:
    define(concurrency=1)
    define(id="other", concurrency=1)
    make_background_run(shop)
    make_background_run(shop, definition="other")
    make_background_run(make_application("Charlie's"))
    assert len(claim()) == 3


@pytest.mark.parametrize("between", [State.SCHEDULED, State.RETRYING, State.QUEUED])
def test_a_place_is_kept_between_iterations(shop: Application, between: State) -> None:
    define(concurrency=1)
    first = make_background_run(shop)
    make_background_run(shop)
    claim()
    later = {"state": between, "worker": None, "due_at": NOW, "iteration": 2}
    Run.objects.filter(pk=first.pk).update(**later)
    Run.objects.filter(state="scheduled", iteration=1).update(state="queued")
    assert [run.id for run in claim()] == ([first.pk] if between == State.QUEUED else [])


def test_who_goes_lets_the_oldest_go_on_at_once(shop: Application) -> None:
    define(concurrency=2)
    rows = [make_background_run(shop) for _ in range(5)]
    claim()
    abort(rows[0])
    due = dict(Run.objects.values_list("pk", "due_at"))
    assert [due[row.pk] == NOW for row in rows[2:]] == [True, False, False]
    Run.objects.filter(due_at=NOW, state="scheduled").update(state="queued")
    assert [run.id for run in claim()] == [rows[2].pk]
    assert claim() == []


def test_what_waited_and_is_aborted_gives_no_place(shop: Application) -> None:
    define(concurrency=1)
    rows = [make_background_run(shop) for _ in range(3)]
    claim()
    abort(rows[1])
    assert Run.objects.get(pk=rows[2].pk).due_at > NOW


def test_who_goes_passes_over_what_is_being_aborted_at_that_moment(shop: Application) -> None:
    define(concurrency=1)
    rows = [make_background_run(shop) for _ in range(3)]
    claim()
    abort(rows[0], rows[1])
    assert Run.objects.get(pk=rows[2].pk).due_at == NOW


def test_what_was_let_go_on_and_is_aborted_lets_the_next_one_go_on(shop: Application) -> None:
    define(concurrency=1)
    rows = [make_background_run(shop) for _ in range(3)]
    claim()
    abort(rows[0])
    assert [Run.objects.get(pk=row.pk).due_at == NOW for row in rows[1:]] == [True, False]
    abort(rows[1])
    assert Run.objects.get(pk=rows[2].pk).due_at == NOW


def test_when_there_is_no_limit_any_more_all_that_wait_go_on(shop: Application, registry: Any) -> None:
    define(concurrency=1)
    rows = [make_background_run(shop) for _ in range(3)]
    claim()
    registry.by_id.clear()
    define()
    abort(rows[0])
    assert [Run.objects.get(pk=row.pk).due_at for row in rows[1:]] == [NOW, NOW]


def test_a_row_that_says_it_has_a_place_though_it_is_over_takes_none(shop: Application) -> None:
    define(concurrency=1)
    make_background_run(shop, State.SUCCEEDED, has_place=True)
    make_background_run(shop)
    assert len(claim()) == 1


def test_the_longer_the_line_the_later_it_looks_again(shop: Application) -> None:
    define(concurrency=1)
    for _ in range(40):
        make_background_run(shop)
    claim()
    now = fleet.database_now()
    waits = sorted(due - now for due in Run.objects.filter(state="scheduled").values_list("due_at", flat=True))
    assert timedelta(seconds=20) < waits[0] < timedelta(seconds=31)
    assert waits[-1] > timedelta(seconds=120)


@pytest.mark.django_db(transaction=True)
def test_workers_that_claim_at_the_same_moment_give_no_place_twice() -> None:
    shop = make_application()
    define(concurrency=3)
    for _ in range(20):
        make_background_run(shop)
    taken = together(*[lambda: claim(5) for _ in range(4)])
    assert sum(len(runs) for runs in taken) == 3
    assert states() == {"running": 3, "scheduled": 17}


@pytest.mark.django_db(transaction=True)
def test_who_claims_while_another_one_goes_waits_for_nobody_and_looks_again_soon() -> None:
    shop, other = make_application(), make_application("Charlie's")
    define(concurrency=1)
    first = make_background_run(shop)
    claim()
    second, theirs = make_background_run(shop), make_background_run(other)

    def impatient() -> list[Claimed]:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        return claim()

    with transaction.atomic():
        abort(first)
        [taken] = together(impatient)
    assert [run.id for run in taken] == [theirs.pk]
    run = Run.objects.get(pk=second.pk)
    assert (run.state, run.due_at - fleet.database_now() <= timedelta(seconds=1)) == ("scheduled", True)
    Run.objects.filter(pk=second.pk).update(state="queued")
    assert [run.id for run in claim()] == [second.pk]


@pytest.mark.django_db(transaction=True)
def test_who_goes_while_another_one_is_put_off_lets_it_go_on() -> None:
    shop = make_application()
    define(concurrency=1)
    first, second = make_background_run(shop), None
    claim()
    second = make_background_run(shop)
    behind(claim, lambda: abort(first))
    assert Run.objects.get(pk=second.pk).due_at == NOW
