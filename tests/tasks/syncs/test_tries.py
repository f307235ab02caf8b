"""What becomes of a key after an attempt."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.lib.backoff import Retries
from badgerjobs.runs.outcomes import Later
from tasks.syncs.tries import Due, PutOff, Tried, settle
from tests.factories import NOW
from tests.tasks.syncs.stages import Found, fetched, unfetched

ENDED = NOW + timedelta(seconds=2)


def settled(found: Found, attempts: int = 0, **policy: Any) -> Tried | PutOff:
    """After so many attempts before this one, of which the first began an hour ago."""
    began = NOW - timedelta(hours=1) if attempts else None
    due = Due(1, "product-1", 1, {}, attempts, began, "v")
    return settle(due, found, policy=Retries(**policy), started_at=NOW, ended_at=ENDED)


@pytest.mark.parametrize(
    ("found", "attempts", "policy", "state", "least_s"),
    [
        (fetched(), 0, {}, "succeeded", 0),
        (fetched(), 3, {}, "succeeded", 0),
        (unfetched(), 0, {}, "waiting", 10),
        (unfetched(), 1, {}, "waiting", 20),
        (unfetched(), 2, {}, "waiting", 30),
        (unfetched(), 3, {}, "failed", 0),
        (unfetched(retry=False), 0, {}, "failed", 0),
        (unfetched(), 0, {"retries": 0}, "failed", 0),
        (unfetched(retry_after=timedelta(minutes=5)), 0, {}, "waiting", 300),
        (unfetched(retry_after=timedelta(days=2)), 0, {}, "failed", 0),
        (unfetched(), 1, {"for_s": 3700}, "waiting", 20),
        (unfetched(), 1, {"for_s": 3600}, "failed", 0),
    ],
)
def test_a_key_succeeds_or_waits_for_its_next_attempt_or_has_failed(
    found: Found, attempts: int, policy: dict[str, Any], state: str, least_s: float
) -> None:
    tried = settled(found, attempts, **policy)

    assert isinstance(tried, Tried)
    assert tried.state == state
    wait = tried.due_at - ENDED
    assert timedelta(seconds=least_s) <= wait <= timedelta(seconds=1.1 * least_s)


def test_why_there_is_no_other_attempt_is_said() -> None:
    tried = settled(unfetched(retry_after=timedelta(days=2)))

    assert isinstance(tried, Tried)
    assert tried.error.startswith("The source answered 503. The endpoint asks to be left alone for 2 d")


def test_one_for_which_there_was_no_room_is_put_off() -> None:
    assert settled(Later(7)) == PutOff(settled(Later(7)).due, ENDED + timedelta(seconds=7))
