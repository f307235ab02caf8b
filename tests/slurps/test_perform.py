"""What the engine is told of a process that did, or did not do, what a run of an async job is about."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, cast

import pytest
from django.db import OperationalError, transaction

from badgerjobs.runs.models import Run
from badgerjobs.runs.outcomes import Aborted, Done, Failed, Later, Outcome, Said
from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.pool import Pool
from slurps import perform
from slurps.models import Version
from slurps.perform import UNREADY_S, Loaded, outcome_of
from slurps.storing.swapping import hold, loaded_by, show
from tests.factories import make_application, make_collection
from tests.runs.claims import claimed
from tests.runs.together import waiting
from tests.slurps.storing.loads import staged

JOB = Loaded(1, "prices", timeout_s=3600)
FAILED: dict[str, Any] = {"error_class": "busy", "message": "Run 7 fills it.", "retry": True}


@pytest.mark.parametrize(
    ("came", "told"),
    [
        (Came("done", output={"rows": 1}), Done(output={"rows": 1})),
        (Came("aborted"), Aborted("It was aborted.")),
        (Came("aborted", "The async job was deleted."), Aborted("The async job was deleted.")),
        (Came("unready", "No process can be started."), Later(UNREADY_S)),
        (Came("crashed", "It was ended by SIGKILL."), Failed("crashed", "It was ended by SIGKILL.")),
        (Came("error", error={**FAILED, "retry_after": None}), Failed("busy", "Run 7 fills it.", retry=True)),
        (
            Came("error", error={**FAILED, "retry": False, "retry_after": 30}),
            Failed("busy", "Run 7 fills it.", retry=False, retry_after=timedelta(seconds=30)),
        ),
    ],
    ids=["done", "aborted", "deleted", "unready", "crashed", "failed", "failed for good"],
)
def test_each_answer_is_an_outcome(came: Came, told: Outcome) -> None:
    assert outcome_of(came, JOB) == told


def test_one_that_took_too_long_is_told_what_helps() -> None:
    outcome = outcome_of(Came("timeout", "Its process was ended."), JOB)
    assert outcome == Failed(
        "timeout",
        "A run may take 3,600 s: it was ended, and nothing of it is stored. Let the job's runs take longer, or its "
        "sources give less.",
    )


CRASHED = Came("crashed", "The process that ran the code was ended by SIGKILL before it answered.")
AWAY = Came("error", error={"error_class": "database", "message": "The database was away.", "retry": True})


class Ended:
    """A pool whose process ended like this."""

    def __init__(self, came: Came) -> None:
        self.came = came

    async def iterate(self, _work: Any) -> Came:
        return self.came


def told(version: Version, came: Came) -> Outcome:
    """What the engine is told of the run that loaded this version, when its process ended so."""
    run = claimed(Run.objects.get(worker=version.worker))
    return asyncio.run(perform.perform(run, JOB, cast("Pool", Ended(came))))


def loading(*, ends: str) -> tuple[Version, Callable[[], Version]]:
    """A version that a run has loaded, and what it does last."""
    version, loader = staged(make_collection(make_application()), [{"id": 1}, {"id": 2}])
    loaded = loaded_by(loader.encoder, read=2)
    if ends == "held":
        return version, lambda: hold(version, loaded, [{"guard": "empty", "message": "x"}], worker=version.worker)
    return version, lambda: show(version, loaded, worker=version.worker)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("came", "why"),
    [
        (Came("timeout"), "A run may take 3,600 s: it was ended."),
        (CRASHED, "The process that ran the code was ended by SIGKILL before it answered."),
        (AWAY, "The database was away."),
    ],
    ids=["late", "crashed", "away"],
)
@pytest.mark.parametrize(
    ("ends", "what", "stage"),
    [
        ("shown", "Version 1 of “prices”", "ready"),
        ("held", "A result that waits for approval in “prices”", "held"),
    ],
)
def test_one_that_ended_when_its_rows_were_stored_is_done_and_says_so(
    came: Came, why: str, ends: str, what: str, stage: str
) -> None:
    version, end = loading(ends=ends)
    end()
    outcome = told(version, came)
    assert isinstance(outcome, Done)
    assert (outcome.output["stage"], outcome.output["written"]) == (stage, 2)
    assert outcome.said == Said(
        f"{why} {what} was stored by then, and stays. Sources that were not told so may give the same rows again."
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("came", [Came("timeout"), CRASHED, AWAY], ids=["late", "crashed", "away"])
def test_one_that_ended_before_has_failed_and_nothing_is_stored(came: Came) -> None:
    version, _ = loading(ends="shown")
    assert told(version, came) == outcome_of(came, JOB)


@pytest.mark.django_db(transaction=True)
def test_a_commit_that_is_under_way_is_waited_for() -> None:
    version, end = loading(ends="shown")
    assert version.run_id
    run_id = version.run_id
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            end()
            asked = waiting(threads, lambda: perform._left_by(run_id))
        assert asked.result() == version


@pytest.mark.django_db(transaction=True)
def test_what_the_database_does_not_say_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_run_id: Any) -> Version:
        raise OperationalError

    version, _ = loading(ends="shown")
    monkeypatch.setattr(perform, "left_by", away)
    assert told(version, Came("timeout")) == Failed(
        "timeout",
        "A run may take 3,600 s: it was ended. Whether its rows are stored could not be asked: the versions of its "
        "collection say so.",
    )
    assert told(version, CRASHED) == outcome_of(CRASHED, JOB)
