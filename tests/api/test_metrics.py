"""`/metrics`: on loopback to whoever asks, from elsewhere to tokens that may read, and the same from every process."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from badgerjobs.runs import fleet
from badgerjobs.runs.models import Beat, Queue, State, Worker
from tests.callers import PROBLEM, Caller, caller_for
from tests.factories import make_application, make_run, make_runnable

pytestmark = pytest.mark.django_db


def scraped(**more: Any) -> Any:
    return Client().get("/metrics", **more)


def values(text: str) -> dict[str, float]:
    """Each sample's value, by its name and labels."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {" ".join([sample.name, *sorted(sample.labels.values())]): sample.value for sample in samples}


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.7"}, 401),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.7"}, 401),
        ("127.0.0.1", {"Via": "1.1 proxy"}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 401),
        ("203.0.113.7", {}, 401),
        ("10.0.0.1", {}, 401),
        ("", {}, 401),
        ("203.0.113.7", {"Authorization": "Bearer bj_aaaaaaaa_" + "x" * 43}, 401),
        ("203.0.113.7", {"Authorization": "Basic dXNlcjpwYXNz"}, 401),
    ],
)
def test_loopback_is_who_asks_from_this_machine_and_no_proxy(
    address: str, headers: dict[str, str], status: int
) -> None:
    answer = scraped(REMOTE_ADDR=address, headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.headers["Content-Type"] == PROBLEM
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_behind_a_proxy_nobody_is_local_even_if_the_proxy_does_not_say_that_it_is_one(
    address: str, settings: Any, alice: Caller
) -> None:
    settings.BEHIND_PROXY = True
    assert scraped(REMOTE_ADDR=address).status_code == 401
    assert scraped(REMOTE_ADDR=address, headers={"Authorization": f"Bearer {alice.secret}"}).status_code == 200


def test_a_token_that_may_read_opens_them_from_anywhere(alice: Caller) -> None:
    reads, writes = (caller_for(alice.application, scopes=[scope]) for scope in ("read", "write"))
    statuses = [
        scraped(REMOTE_ADDR="203.0.113.7", headers={"Authorization": f"Bearer {caller.secret}"}).status_code
        for caller in (alice, reads, writes)
    ]
    assert statuses == [200, 200, 403]


def test_the_engine_is_shown_as_it_is() -> None:
    now = timezone.now()
    runnable = make_runnable(make_application(), next_run_at=now + timedelta(days=1))
    make_runnable(make_application("other"))
    for state in (State.QUEUED, State.QUEUED, State.RUNNING, State.SUCCEEDED):
        make_run(runnable, state)
    Worker.objects.create(name="worker", queue=Queue.IO, started_at=now, seen_at=now)
    answer = scraped()
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert values(answer.content.decode()) == {
        "badgerjobs_up": 1,
        "badgerjobs_dispatcher_lag_seconds": 0,
        "badgerjobs_workers": 1,
        "badgerjobs_beats": 0,
        "badgerjobs_runnables_planned": 1,
        "badgerjobs_runs io queued": 2,
        "badgerjobs_runs io running": 1,
    }


def test_nobodys_names_are_among_them() -> None:
    make_run(make_runnable(make_application("Alice's", "shop"), name="secret-project"))
    assert "secret-project" not in scraped().content.decode()
    assert "shop" not in scraped().content.decode()


def test_beats_are_counted_while_they_are_seen() -> None:
    now = fleet.database_now()
    for seconds in (0, 20, 60):
        Beat.objects.create(name="b", started_at=now, seen_at=now - timedelta(seconds=seconds))
    assert values(scraped().content.decode())["badgerjobs_beats"] == 2
