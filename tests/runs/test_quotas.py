"""How much an application with limits may begin, whoever claims at the same moment."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs import execute, lifecycle, quotas
from badgerjobs.runs.changes import PutOff
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import Quota, Run, Runnable, State
from tests.factories import NOW, make_application, make_run, make_runnable
from tests.runs.claims import ME, ended
from tests.runs.staging import Gate, Stage, kind, queue, states
from tests.runs.together import together
from tests.waiting import until

pytestmark = pytest.mark.django_db


def limit(runnable: Runnable, at_once: int | None = None, per_minute: int | None = None, tokens: float = 0) -> None:
    Quota.objects.create(
        application=runnable.application,
        concurrent_runs=at_once,
        runs_per_minute=per_minute,
        tokens=tokens,
        filled_at=NOW,
    )


def claim(most: int = 100, worker: UUID = ME, now: datetime = NOW) -> list[Claimed]:
    return lifecycle.claim(queue="io", worker=worker, limit=most, now=now)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_no_more_run_at_once_than_may_and_the_end_of_one_lets_another_begin(runnable: Runnable) -> None:
    limit(runnable, at_once=3)
    queue(runnable, 10, kind="http")

    taken = claim()
    assert len(taken) == 3
    assert claim() == []
    lifecycle.finish([ended(Run.objects.get(pk=taken[0].id))], worker=ME)
    assert len(claim()) == 1


def test_runs_of_every_queue_count(runnable: Runnable) -> None:
    limit(runnable, at_once=2)
    make_run(runnable, State.RUNNING, queue="compute", worker=uuid4())
    queue(runnable, 10)

    assert len(claim()) == 1


def test_one_that_may_begin_none_begins_none(runnable: Runnable) -> None:
    limit(runnable, at_once=0)
    queue(runnable, 3)

    assert claim() == []


def test_no_more_begin_in_a_minute_than_may(runnable: Runnable) -> None:
    limit(runnable, per_minute=120)
    queue(runnable, 500)

    begun = [(tick / 4, len(claim(now=after(tick / 4)))) for tick in range(1, 401)]

    assert max(count for _, count in begun) <= 2
    assert all(sum(n for at, n in begun if start <= at < start + 60) <= 120 for start, _ in begun)
    assert sum(n for _, n in begun) > 0.95 * 200


def test_both_limits_hold_together(runnable: Runnable) -> None:
    limit(runnable, at_once=5, per_minute=600, tokens=10)
    queue(runnable, 100)

    assert len(claim()) == 5
    assert claim(now=after(60)) == []


def test_what_was_handed_back_untried_does_not_count(runnable: Runnable) -> None:
    limit(runnable, per_minute=60, tokens=1)
    queue(runnable, 10)

    [taken] = claim()
    assert claim() == []
    lifecycle.postpone([PutOff(taken, after(5))], worker=ME)
    assert len(claim()) == 1


def test_limits_of_one_application_do_not_slow_another(runnable: Runnable) -> None:
    limit(runnable, at_once=1)
    free = make_runnable(make_application("Charlie's"))
    queue(runnable, 100, priority=0)
    queue(free, 100, priority=100)

    taken = claim(50)
    assert sum(run.application_id == free.application_id for run in taken) >= 25
    # What is limited takes no share of the next one.
    assert [run.application_id for run in claim(50)] == [free.application_id] * 50


def test_without_limits_a_claim_asks_one_thing_more(runnable: Runnable) -> None:
    queue(runnable, 5)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert len(claim()) == 5
    assert len(asked) == 3


def test_limits_of_many_applications_are_looked_at_together(db: None) -> None:
    owners = [make_runnable(make_application(f"{n}")) for n in range(12)]
    for owner in owners:
        limit(owner, at_once=2, per_minute=600, tokens=10)
        queue(owner, 5)
    with CaptureQueriesContext(connection) as asked:
        assert len(claim(200)) == 24
    assert len(asked) == 6


@pytest.mark.parametrize(
    ("given", "again_s"),
    [
        ({"at_once": 1}, None),
        ({"per_minute": 60}, 1.0),
        ({"per_minute": 60, "tokens": 0.5}, 0.5),
        ({"per_minute": 6000, "tokens": 3}, quotas.SOON_S),
        ({"at_once": 1, "per_minute": 600, "tokens": 10}, None),
    ],
    ids=["at once", "a minute", "a minute, half over", "many a minute", "both"],
)
def test_it_is_known_when_it_is_worth_asking_again(
    given: dict[str, int], again_s: float | None, runnable: Runnable
) -> None:
    limit(runnable, **given)
    queue(runnable, 50)

    assert quotas.rooms(queue="io", limit=100, now=NOW).again_s == (again_s and pytest.approx(again_s))


def test_without_work_nothing_is_locked_and_nobody_need_ask_again(runnable: Runnable) -> None:
    limit(runnable, at_once=1, per_minute=1)
    make_run(runnable, State.QUEUED, held=True)

    assert quotas.rooms(queue="io", limit=100, now=NOW) == quotas.Rooms(owners=1)


def claiming(worker: UUID, seen: list[int], is_over: Callable[[], bool]) -> int:
    """Claim and finish until nothing is left; note how many run at once each time."""
    count = 0
    while not is_over():
        taken = claim(20, worker=worker)
        seen.append(Run.objects.filter(state=State.RUNNING).count())
        if taken:
            lifecycle.finish([ended(Run.objects.get(pk=run.id)) for run in taken], worker=worker)
        count += len(taken)
    return count


@pytest.mark.django_db(transaction=True)
def test_four_claimers_at_once_never_have_more_than_may_run() -> None:
    runnable = make_runnable(make_application())
    limit(runnable, at_once=3)
    queue(runnable, 60, kind="http")
    seen: list[int] = []

    hands = together(
        *(
            partial(claiming, uuid4(), seen, lambda: not Run.objects.filter(state=State.QUEUED).exists())
            for _ in range(4)
        )
    )

    assert sum(hands) == 60
    assert max(seen) <= 3


@pytest.mark.django_db(transaction=True)
def test_four_claimers_at_once_never_begin_more_than_a_second_may() -> None:
    runnable = make_runnable(make_application())
    limit(runnable, per_minute=600)
    queue(runnable, 200, kind="http")

    for second in range(1, 6):
        together(*(partial(claim, 50, uuid4(), after(second)) for _ in range(4)))
        assert Run.objects.filter(state=State.RUNNING).count() <= 10 * second


@pytest.mark.django_db(transaction=True)
def test_who_finds_the_limits_of_another_held_asks_again_soon() -> None:
    runnable = make_runnable(make_application())
    limit(runnable, at_once=3)
    queue(runnable, 5)

    locked, done = threading.Event(), threading.Event()

    def hold() -> quotas.Rooms:
        with transaction.atomic():
            rooms = quotas.rooms(queue="io", limit=10, now=NOW)
            locked.set()
            done.wait(10)
        return rooms

    def ask() -> quotas.Rooms:
        locked.wait(10)
        try:
            assert claim() == []
            return quotas.rooms(queue="io", limit=10, now=NOW)
        finally:
            done.set()

    first, second = together(hold, ask)
    assert first.free == {runnable.application_id: 3}
    assert (second.free, second.again_s) == ({}, quotas.SOON_S)


@pytest.mark.django_db(transaction=True)
def test_a_run_that_ends_makes_room_for_the_next_at_once(
    stage: Stage, runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "POLL_S", 60)
    limit(runnable, at_once=2)
    gate = Gate()
    stage.kinds |= {"staged": kind(), "slow": kind(gate.perform)}
    slow = queue(runnable, 2, kind="slow", priority=0)
    runs = queue(runnable, 20)
    with stage.executing():
        until(lambda: gate.inside == 2)
        assert states(runs) == {"queued"}
        gate.open()
        until(lambda: states([*slow, *runs]) == {"succeeded"})


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_finds_only_limited_work_rests(
    stage: Stage, runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = 0

    def counted(*args: object, **given: object) -> list[Claimed]:
        nonlocal claims
        claims += 1
        return real(*args, **given)  # type: ignore[arg-type]

    real = lifecycle.claim
    monkeypatch.setattr(lifecycle, "claim", counted)
    monkeypatch.setattr(execute, "POLL_S", 60)
    limit(runnable, at_once=0)
    queue(runnable, 20)
    other = queue(make_runnable(make_application("Charlie's")), 3)
    with stage.executing():
        until(lambda: states(other) == {"succeeded"})
    assert claims <= 3


@pytest.mark.django_db(transaction=True)
def test_a_worker_comes_again_when_the_minute_allows_one_more(
    stage: Stage, runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "POLL_S", 60)
    limit(runnable, per_minute=600)
    runs = queue(runnable, 25)
    with stage.executing():
        until(lambda: states(runs) == {"succeeded"})
