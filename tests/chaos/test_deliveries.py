"""I5: each thing that must not be, planted once, is found, and nothing else is."""

from dataclasses import replace
from typing import Any

import pytest

from chaos.books import Act, Books, Delivery
from chaos.checks.deliveries import Sent, accepted, acted_upon, answers, caused_once, repeats
from chaos.checks.violation import Violation
from tests.chaos.stories import run

HOOK = "red/plain"
CAUSED = run(0, job="red/by-hook-1", cause="webhook", occurrence=None)
SENT = Sent(HOOK, 1, 202, "d1", 0.0)


def delivery(**fields: Any) -> Delivery:
    """The delivery of call 1: acted upon."""
    return replace(Delivery("d1", HOOK, "accepted", "", "succeeded"), **fields)


def books(*deliveries: Delivery, acts: tuple[Act, ...] = (Act("d1", "done", "r0"),), runs: Any = (CAUSED,)) -> Books:
    return Books(runs=list(runs), deliveries=list(deliveries), acts=list(acts))


def judged(sent: tuple[Sent, ...], found: Books) -> list[str]:
    """The kinds of what is wrong, by all checks."""
    wrong: list[Violation] = [*answers(sent), *accepted(sent, found), *acted_upon(found)]
    return [one.kind for one in (*wrong, *caused_once(found), *repeats(sent, found))]


def test_what_was_accepted_and_acted_upon_once_is_right() -> None:
    assert judged((SENT, Sent(HOOK, 2, 503, "", 0.0)), books(delivery())) == []


def test_what_failed_and_did_nothing_is_right() -> None:
    assert judged((SENT,), books(delivery(state="failed"), acts=(Act("d1", "failed", ""),), runs=())) == []


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (books(acts=(), runs=()), "lost"),
        (books(delivery(hook="blue/plain")), "mixed"),
        (books(delivery(state="running")), "unacted"),
        (books(delivery(standing="held", state=""), acts=(), runs=()), "unacted"),
        (books(delivery(), acts=(), runs=()), "unacted"),
        (books(delivery(), acts=(Act("d1", "waiting", ""),), runs=()), "unacted"),
        (books(delivery(), acts=(Act("d1", "done", "r9"),), runs=()), "lost"),
        (books(delivery(state="failed")), "doubled"),
        (books(delivery(), runs=(CAUSED, replace(CAUSED, id="r1"))), "doubled"),
    ],
    ids=[
        "no row", "another's", "not over", "held", "no act", "act left", "run gone", "failed and done", "run of no act",
    ],
)  # fmt: skip
def test_what_is_planted_is_found(found: Books, kind: str) -> None:
    assert judged((SENT,), found) == [kind]


def test_a_delivery_that_was_acted_upon_twice_is_found() -> None:
    acts = (Act("d1", "done", "r0"), Act("d1", "done", "r1"))
    assert judged((SENT,), books(delivery(), acts=acts, runs=(CAUSED, replace(CAUSED, id="r1")))) == ["doubled"]


@pytest.mark.parametrize("status", [200, 404, 500])
def test_an_answer_that_is_none_of_a_webhooks_is_found(status: int) -> None:
    assert judged((SENT, Sent(HOOK, 2, status, "", 0.0)), books(delivery())) == ["misled"]


def test_an_id_that_is_given_twice_is_found() -> None:
    assert judged((SENT, replace(SENT, number=2)), books(delivery())) == ["misled"]


ONCE = "red/once"
FIRST, AGAIN = Sent(ONCE, 1, 202, "d1", 0.0), Sent(ONCE, 1, 202, "d2", 0.0)
OF_FIRST = delivery(hook=ONCE)
REPEATED = Delivery("d2", ONCE, "duplicate", "d1", "")


def test_a_repeated_call_is_stored_and_points_to_the_first() -> None:
    assert judged((FIRST, AGAIN), books(OF_FIRST, REPEATED)) == []


def test_a_repeated_call_that_is_taken_for_a_first_one_is_found() -> None:
    acts = (Act("d1", "done", "r0"), Act("d2", "done", "r1"))
    found = books(OF_FIRST, delivery(id="d2", hook=ONCE), acts=acts, runs=(CAUSED, replace(CAUSED, id="r1")))
    assert judged((FIRST, AGAIN), found) == ["doubled"]


def test_a_duplicate_that_was_acted_upon_is_found() -> None:
    acts = (Act("d1", "done", "r0"), Act("d2", "failed", ""))
    assert judged((FIRST, AGAIN), books(OF_FIRST, REPEATED, acts=acts)) == ["doubled"]


def test_a_duplicate_of_nothing_is_found() -> None:
    assert judged((FIRST, AGAIN), books(OF_FIRST, replace(REPEATED, duplicate_of="d9"))) == ["doubled", "lost"]


def test_a_first_whose_caller_never_heard_of_it_is_right() -> None:
    assert judged((AGAIN,), books(OF_FIRST, REPEATED)) == []


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (delivery(id="d9", hook=HOOK), "mixed"),
        (replace(REPEATED, id="d9"), "doubled"),
    ],
    ids=["another hook's", "a repeat itself"],
)
def test_a_duplicate_of_what_is_no_first_one_of_its_hook_is_found(first: Delivery, kind: str) -> None:
    acts = (Act("d9", "done", "r0"),) if first.standing == "accepted" else ()
    found = books(first, replace(REPEATED, duplicate_of="d9"), acts=acts, runs=(CAUSED,) if acts else ())
    assert judged((AGAIN,), found) == [kind]


def test_duplicates_of_one_call_that_point_to_two_are_found() -> None:
    third = Sent(ONCE, 1, 202, "d3", 0.0)
    other = delivery(id="d9", hook=ONCE)
    acts = (Act("d1", "done", "r0"), Act("d9", "done", "r1"))
    repeated = replace(REPEATED, id="d3", duplicate_of="d9")
    found = books(OF_FIRST, other, REPEATED, repeated, acts=acts, runs=(CAUSED, replace(CAUSED, id="r1")))
    assert judged((AGAIN, third), found) == ["doubled"]
