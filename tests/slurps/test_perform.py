"""What the engine is told of a process that did, or did not do, what a run of an async job is about."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.runs.outcomes import Aborted, Done, Failed, Later, Outcome
from badgerjobs.runs.processes.came import Came
from slurps.perform import UNREADY_S, Loaded, outcome_of

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
