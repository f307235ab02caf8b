"""Which queued runs a worker gets, and that nobody else gets them."""

from collections import Counter
from datetime import timedelta
from functools import partial
from itertools import cycle
from uuid import UUID, uuid4

import pytest

from badgerjobs.lib.backoff import LIST, Retries
from badgerjobs.lib.ids import uuid7
from badgerjobs.runs import lifecycle, picking
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import Cause, Run, Runnable, State
from badgerjobs.runs.turns import Held, Most, Share
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.retry_policy import columns_of
from tests.factories import NOW, make_application, make_run, make_runnable
from tests.runs.claims import ME
from tests.runs.together import together

pytestmark = pytest.mark.django_db


def claim(limit: int, worker: UUID = ME, queue: str = "io") -> list[Claimed]:
    return lifecycle.claim(queue=queue, worker=worker, limit=limit, now=NOW)


def test_a_claim_brings_all_that_performing_and_finishing_need(runnable: Runnable) -> None:
    Runnable.objects.update(retries=7, retry_step_s=5)
    run = make_run(runnable, occurrence=NOW, number=4, attempts=2, input={"deep": [1, "ü"]})

    assert claim(10) == [
        Claimed(
            id=run.pk,
            application_id=runnable.application_id,
            runnable_id=runnable.pk,
            kind="http",
            number=4,
            attempts=2,
            occurrence=NOW,
            due_at=NOW,
            input_text='{"deep": [1, "ü"]}',
            retries=7,
            retry_step_s=5,
            backoff="incremental",
            retry_delays=None,
            retry_for_s=None,
            started_at=NOW,
            worker=ME,
            workspace_id=runnable.application.workspace_id,
        )
    ]
    run.refresh_from_db()
    assert (run.state, run.worker, run.started_at) == ("running", ME, NOW)


def test_a_later_attempt_keeps_the_time_of_the_first(runnable: Runnable) -> None:
    run = make_run(runnable, attempts=1, started_at=NOW - timedelta(minutes=1))

    claim(1)

    run.refresh_from_db()
    assert run.started_at == NOW - timedelta(minutes=1)


def test_a_claim_brings_the_whole_retry_policy(runnable: Runnable) -> None:
    listed = Retries(LIST, 2, 10, (5, 90), 600)
    Runnable.objects.filter(pk=runnable.pk).update(**columns_of(listed))
    make_run(runnable, attempts=1, started_at=NOW - timedelta(minutes=1))

    [run] = claim(1)

    assert run.policy == listed
    assert run.started_at == NOW - timedelta(minutes=1)


def test_a_run_that_code_triggered_has_the_usual_retries(runnable: Runnable) -> None:
    run = make_run(runnable, cause=Cause.CODE)
    Run.objects.update(runnable=None)

    (claimed,) = claim(1)

    assert (claimed.id, claimed.runnable_id, claimed.policy) == (run.pk, None, Retries())


def test_another_queue_is_left_alone(runnable: Runnable) -> None:
    make_run(runnable, queue="compute")

    assert claim(10) == []
    assert len(claim(10, queue="compute")) == 1


def test_priority_comes_first_and_then_the_time_it_was_due(runnable: Runnable) -> None:
    late, urgent, early = (
        make_run(runnable, priority=priority, due_at=NOW + timedelta(seconds=s))
        for priority, s in ((50, 5), (10, 9), (50, 1))
    )

    assert [claim(1)[0].id for _ in range(3)] == [urgent.pk, early.pk, late.pk]


def test_each_application_gets_its_share_of_the_slots(runnable: Runnable) -> None:
    quiet = make_runnable(make_application("Charlie's"))
    for _ in range(50):
        make_run(runnable, priority=0)
    for _ in range(5):
        make_run(quiet, priority=100)

    taken = claim(10)

    assert sum(run.application_id == quiet.application_id for run in taken) == 5
    assert len(taken) == 10


def test_what_one_application_leaves_of_its_share_is_there_for_the_others(runnable: Runnable) -> None:
    make_run(make_runnable(make_application("Charlie's")))
    for _ in range(30):
        make_run(runnable)

    assert [len(claim(10)) for _ in range(4)] == [6, 10, 10, 5]


def test_more_applications_than_slots_are_served_in_turn(db: None) -> None:
    owners = [make_runnable(make_application(f"{n}")) for n in range(12)]
    for owner in owners:
        make_run(owner)
        make_run(owner)

    assert all(len({run.application_id for run in claim(4)}) == 4 for _ in range(2))


def test_nobody_is_served_again_before_all_others_were(db: None) -> None:
    owners = [make_runnable(make_application(f"{n}")) for n in range(10)]
    for owner in owners * 9:
        make_run(owner)
    share, served = Share(Most(100, 100)), Counter({owner.application_id: 0 for owner in owners})
    for turn in range(1, 21):
        taken = lifecycle.claim(queue="io", worker=ME, limit=3, now=NOW, share=share)
        served.update(run.application_id for run in taken)
        assert served.total() == 3 * turn
        assert max(served.values()) - min(served.values()) <= 1


def test_those_who_have_all_that_they_may_have_do_not_hide_those_behind_them(db: None) -> None:
    owners = [make_runnable(make_application(f"{n}")) for n in range(10)]
    for owner in owners:
        make_run(owner)
    full = dict.fromkeys((owner.application_id for owner in owners[:8]), 5)

    taken = lifecycle.claim(queue="io", worker=ME, limit=2, now=NOW, share=Share(Most(100, 5), Held(applications=full)))

    assert {run.application_id for run in taken} == {owner.application_id for owner in owners[8:]}


def crowd(count: int, each: int = 5) -> list[Runnable]:
    """So many applications of one workspace, each with work."""
    workspace = make_application("Alice's").workspace
    owners = [make_runnable(Application.objects.create(workspace=workspace, name=f"shop {n}")) for n in range(count)]
    for owner in owners * each:
        make_run(owner)
    return owners


def test_a_workspace_gets_one_share_however_many_applications_it_has(db: None) -> None:
    crowd(9)
    quiet = make_runnable(make_application("Charlie's"))
    for _ in range(5):
        make_run(quiet, priority=100)

    taken = claim(10)

    assert sum(run.application_id == quiet.application_id for run in taken) == 5
    assert len({run.application_id for run in taken}) == 6


def test_workspaces_take_turns_and_so_do_the_applications_of_each(db: None) -> None:
    owners = [owner.application_id for owner in crowd(3)]
    quiet = make_runnable(make_application("Charlie's"))
    for _ in range(5):
        make_run(quiet)
    share = Share(Most(100, 100))

    served = [
        run.application_id
        for _ in range(8)
        for run in lifecycle.claim(queue="io", worker=ME, limit=1, now=NOW, share=share)
    ]

    assert served[1::2] == [quiet.application_id] * 4
    assert served[::2] == [*owners, owners[0]]


def test_a_workspace_that_has_all_that_it_may_have_leaves_the_rest_to_others(db: None) -> None:
    owner, *_ = crowd(8)
    quiet = make_runnable(make_application("Charlie's"))
    make_run(quiet)
    held = Held(workspaces={owner.application.workspace_id: 3}, applications={owner.application_id: 1})

    def claimed(most: int) -> set[int]:
        taken = lifecycle.claim(queue="io", worker=ME, limit=5, now=NOW, share=Share(Most(most, 2), held))
        return {run.workspace_id for run in taken}

    assert claimed(most=3) == {quiet.application.workspace_id}
    assert claimed(most=4) == {owner.application.workspace_id}
    assert Run.objects.filter(state=State.RUNNING).count() == 2


def test_however_many_applications_of_a_workspace_wait_nobody_is_left_out(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picking, "FEWEST", 2)
    monkeypatch.setattr(picking, "MOST", 4)
    owners = crowd(30, each=1)
    quiet = make_runnable(make_application("Charlie's"))
    for _ in range(30):
        make_run(quiet)
    share = Share(Most(100, 100))

    served = [
        run.application_id
        for _ in range(60)
        for run in lifecycle.claim(queue="io", worker=ME, limit=1, now=NOW, share=share)
    ]

    assert len(served) == 60
    assert {owner.application_id for owner in owners} < set(served)
    assert quiet.application_id in served[:10]
    full = Held(workspaces={owners[0].application.workspace_id: 9})
    make_run(quiet)
    for owner in owners:
        make_run(owner)
    [only] = lifecycle.claim(queue="io", worker=ME, limit=1, now=NOW, share=Share(Most(9, 9), full, share.rota))
    assert only.application_id == quiet.application_id


@pytest.mark.django_db(transaction=True)
def test_claimers_at_once_get_disjoint_sets_and_leave_nothing() -> None:
    owners = cycle([make_runnable(make_application(name)) for name in ("Alice's", "Bob's", "Charlie's")])
    Run.objects.bulk_create(
        Run(
            id=uuid7(),
            application_id=owner.application_id,
            runnable=owner,
            kind="http",
            queue="io",
            cause=Cause.MANUAL,
            state=State.QUEUED,
            due_at=NOW,
            created_at=NOW,
        )
        for owner, _ in zip(owners, range(600), strict=False)
    )

    def drain(worker: UUID) -> list[UUID]:
        taken: list[UUID] = []
        # An empty claim is not the end: what was left may have been in another's hands for that moment.
        while Run.objects.filter(state=State.QUEUED).exists():
            taken += [run.id for run in claim(20, worker=worker)]
        return taken

    workers = [uuid4() for _ in range(4)]
    hands = together(*(partial(drain, worker) for worker in workers))

    assert sum(map(len, hands)) == 600
    assert len({run_id for hand in hands for run_id in hand}) == 600
    assert all(Run.objects.filter(worker=w).count() == len(hand) for w, hand in zip(workers, hands, strict=True))
