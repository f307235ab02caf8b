"""A hook that runs an async job: the variables of the transform are values for its sources."""

from typing import Any

import pytest

from badgerjobs.runs.models import Cause, Queue, Run, Runnable, State
from badgerjobs.workspaces.models import Application
from tests.factories import make_application, make_async_job
from tests.webhooks.actions.doings import doing, done, said
from webhooks.actions import action_of, starting
from webhooks.models import ActState

pytestmark = pytest.mark.django_db

FIELDS = {"async_job": "prices"}


@pytest.mark.parametrize(
    ("variables", "stored"), [({"CATEGORY": "lamps"}, {"values": {"CATEGORY": "lamps"}}), ({}, None)]
)
def test_it_is_run_with_the_variables(shop: Application, variables: dict[str, str], stored: Any) -> None:
    job = make_async_job(shop)
    [did] = done("async_job", doing(shop, FIELDS, variables))
    run = Run.objects.get()
    assert said(did) == (ActState.DONE, "Made run 1 of the async job “prices”.", True)
    assert (did.caused, run.runnable_id, run.input) == (run.pk, job.runnable_id, stored)
    assert (run.kind, run.queue, run.cause, run.state) == ("slurp", Queue.COMPUTE, Cause.WEBHOOK, State.QUEUED)


def test_the_second_of_two_waits_for_the_first(shop: Application) -> None:
    make_async_job(shop)
    done("async_job", doing(shop, FIELDS, {"N": "1"}), doing(shop, FIELDS, {"N": "2"}))
    assert list(Run.objects.order_by("number").values_list("held", flat=True)) == [False, True]


def test_one_that_is_paused_gone_or_somebody_elses_is_not_run(shop: Application) -> None:
    make_async_job(shop)
    make_async_job(make_application("Charlie's"), "theirs")
    Runnable.objects.filter(application=shop).update(enabled=False)
    dids = done("async_job", *[doing(shop, {"async_job": tag}) for tag in ("prices", "gone", "theirs")])
    assert [(did.state, did.said) for did in dids] == [
        (ActState.SKIPPED, "The async job is disabled: it was not run."),
        (ActState.FAILED, "There is no async job with the tag “gone” any more."),
        (ActState.FAILED, "There is no async job with the tag “theirs” any more."),
    ]
    assert not Run.objects.exists()


def test_when_too_many_wait_it_takes_no_more(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "MOST_WAITING", 1)
    make_async_job(shop)
    assert [did.state for did in done("async_job", *[doing(shop, FIELDS)] * 2)] == [ActState.DONE, ActState.FAILED]


def test_it_locks_the_runnables_of_its_jobs(shop: Application) -> None:
    job = make_async_job(shop)
    holds = action_of("async_job").holds
    assert holds
    assert list(holds([doing(shop, FIELDS), doing(shop, {"async_job": "gone"})])) == [job.runnable_id]
