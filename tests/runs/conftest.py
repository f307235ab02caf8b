"""What tests of the engine stand on."""

import pytest

from badgerjobs.runs import services
from badgerjobs.runs.models import Runnable
from badgerjobs.workspaces.models import Application
from jobs.models import Job
from tests.factories import make_application, make_job, make_runnable
from tests.runs.staging import Stage


@pytest.fixture
def runnable(db: None) -> Runnable:
    """Something of Alice's that can run, and is not planned."""
    return make_runnable(make_application())


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Where executors are put up."""
    return Stage(monkeypatch)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues that were rung."""
    queues: list[str] = []
    monkeypatch.setattr(services, "ring_after_commit", queues.append)
    return queues


@pytest.fixture
def job(shop: Application) -> Job:
    """Alice's job, whose runs have pages: it has a secret, and a time zone."""
    return make_job(
        shop, "reprice", endpoint="https://api.example.com/prices", body='{"scope":"all"}',
        headers={"Authorization": "Bearer hunter2", "Content-Type": "application/json"},
        cron="0 8 * * *", time_zone="America/New_York",
    )  # fmt: skip
