"""What is warned of, paused and tried again: every state of a breaker and every way a run can end."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from badgerjobs.runs.breaker import LONGEST_REASON, LONGEST_WAIT, Ending, Owner, Verdict, judge
from badgerjobs.runs.models import Trouble
from tests.factories import NOW

QUARTER = timedelta(minutes=15)
FAILED, WARNED, PAUSED = Trouble.FAILED, Trouble.WARNED, Trouble.PAUSED


def owner(**fields: Any) -> Owner:
    return Owner(1, 1, **{"warn_after": 3, "pause_after": 5, "probe_after": QUARTER, **fields})


def ending(number: int, ok: bool = False, **fields: Any) -> Ending:
    at = NOW + timedelta(seconds=number)
    return Ending(UUID(int=number), number, at, ok, "" if ok else "It answered 503.", **fields)


def fails(count: int, start: int = 1) -> list[Ending]:
    return [ending(number) for number in range(start, start + count)]


def opened(verdict: Verdict) -> set[Trouble]:
    return {seen.trouble for seen in verdict.opens}


@pytest.mark.parametrize(
    ("before", "count", "after", "opens"),
    [
        pytest.param(0, 1, 1, {FAILED}, id="the first"),
        pytest.param(1, 1, 2, {FAILED}, id="one more"),
        pytest.param(2, 1, 3, {FAILED, WARNED}, id="as many as are warned of"),
        pytest.param(4, 1, 5, {FAILED, WARNED, PAUSED}, id="as many as it is paused after"),
        pytest.param(0, 5, 5, {FAILED, WARNED, PAUSED}, id="all at once"),
        pytest.param(7, 1, 8, {FAILED, WARNED, PAUSED}, id="more than that, when the settings were changed"),
    ],
)
def test_failures_in_a_row_are_counted_warned_of_and_then_pause_it(
    before: int, count: int, after: int, opens: set[Trouble]
) -> None:
    verdict = judge(owner(failures=before), fails(count))
    assert (verdict.failures, opened(verdict)) == (after, opens)
    assert verdict.pauses is (PAUSED in opens)
    assert verdict.breaker == ("open" if verdict.pauses else "")
    assert not verdict.closes


@pytest.mark.parametrize(("in_part", "said"), [(False, "for good"), (True, "in part")])
def test_a_run_that_nobody_counts_is_told_of_without_a_number(in_part: bool, said: str) -> None:
    [seen] = judge(owner(), [ending(0, in_part=in_part)]).opens
    assert seen.sentence == f"A run failed {said}: It answered 503."


@pytest.mark.parametrize(
    ("settings", "opens"),
    [
        ({"warn_after": None}, {FAILED, PAUSED}),
        ({"pause_after": None}, {FAILED, WARNED}),
        ({"warn_after": None, "pause_after": None}, {FAILED}),
    ],
    ids=["no warning", "no pause", "neither"],
)
def test_both_thresholds_may_be_off(settings: dict[str, Any], opens: set[Trouble]) -> None:
    assert opened(judge(owner(**settings), fails(50))) == opens


def test_what_plans_nothing_is_warned_of_and_never_paused_for_failing() -> None:
    verdict = judge(owner(plans=False), fails(50))
    assert (opened(verdict), verdict.pauses, verdict.breaker, verdict.failures) == ({FAILED, WARNED}, False, "", 50)


def test_paused_it_says_why_in_words_and_until_when() -> None:
    verdict = judge(owner(failures=4), [ending(9)])
    assert verdict.reason == "5 runs in a row failed. The last one: It answered 503."
    assert verdict.until == NOW + timedelta(seconds=9) + QUARTER
    sentences = {seen.trouble: seen.sentence for seen in verdict.opens}
    assert sentences == {
        FAILED: "Run 9 failed for good: It answered 503.",
        WARNED: "5 runs in a row failed. The last one: It answered 503.",
        PAUSED: "Paused. 5 runs in a row failed. The last one: It answered 503.",
    }


def test_a_long_error_makes_no_reason_that_cannot_be_stored() -> None:
    long = Ending(UUID(int=1), 1, NOW, ok=False, error="x" * 9000)
    assert len(judge(owner(failures=4), [long]).reason) == LONGEST_REASON


def test_a_success_is_counted_anew_from_and_ends_what_was_seen() -> None:
    verdict = judge(owner(failures=4), [ending(1, ok=True)])
    assert (verdict.failures, verdict.opens) == (0, ())
    assert verdict.closes == {FAILED, WARNED}
    assert not verdict.pauses
    assert not verdict.resumes


def test_the_order_is_that_of_time_whatever_order_they_are_written_in() -> None:
    mixed = [ending(4), ending(2, ok=True), ending(1), ending(3)]
    verdict = judge(owner(failures=4), mixed)
    assert (verdict.failures, opened(verdict)) == (2, {FAILED})
    assert verdict.closes == {FAILED, WARNED, PAUSED}
    assert (judge(owner(failures=1), mixed).failures, judge(owner(failures=1), mixed[::-1]).failures) == (2, 2)
    assert next(seen.run_id for seen in verdict.opens) == UUID(int=3)


@pytest.mark.parametrize(
    ("breaker", "is_probe", "ok", "after", "resumes", "until"),
    [
        pytest.param("open", False, False, "open", False, None, id="open, another run fails: it waits on"),
        pytest.param("open", False, True, "", True, None, id="open, another run succeeds: it is well"),
        pytest.param("half_open", False, False, "half_open", False, None, id="tried, another run fails"),
        pytest.param("half_open", False, True, "", True, None, id="tried, another run succeeds"),
        pytest.param("half_open", True, True, "", True, None, id="the probe succeeds: it goes on"),
        pytest.param("half_open", True, False, "open", False, 2 * QUARTER, id="the probe fails: twice the wait"),
        pytest.param("open", True, False, "open", False, None, id="a probe that was given up fails late"),
    ],
)
def test_what_is_paused_is_closed_by_a_success_and_opened_again_by_its_probe(  # noqa: PLR0917  a table's columns
    breaker: str, is_probe: bool, ok: bool, after: str, resumes: bool, until: timedelta | None
) -> None:
    one = ending(0, ok, is_probe=is_probe)
    verdict = judge(owner(failures=5, enabled=False, breaker=breaker, paused_at=NOW), [one])
    assert (verdict.breaker, verdict.resumes, verdict.failures) == (after, resumes, 0 if ok else 6)
    assert verdict.until == (NOW + until if until else None)
    assert verdict.closes == ({FAILED, WARNED, PAUSED} if ok else frozenset())
    assert not verdict.pauses


@pytest.mark.parametrize(
    ("in_vain", "wait"),
    [(0, 2 * QUARTER), (1, 4 * QUARTER), (2, 8 * QUARTER), (6, LONGEST_WAIT), (500, LONGEST_WAIT)],
)
def test_each_time_in_vain_it_waits_twice_as_long_up_to_a_day(in_vain: int, wait: timedelta) -> None:
    tried = owner(failures=9, enabled=False, breaker="half_open", probes=in_vain)
    assert judge(tried, [ending(0, is_probe=True)]).until == NOW + wait


@pytest.mark.parametrize(
    ("state", "is_paused"),
    [
        ({}, True),
        ({"enabled": False, "breaker": "open"}, True),
        ({"enabled": False, "breaker": "half_open"}, True),
        ({"enabled": False}, False),
        ({"pause_after": None}, True),
    ],
    ids=["on", "open", "tried", "paused by a person", "without a breaker"],
)
def test_what_can_do_no_better_is_paused_without_being_tried(state: dict[str, Any], is_paused: bool) -> None:
    verdict = judge(owner(**state), [ending(1, pauses=True)])
    assert verdict.reason == ("It answered 503." if is_paused else "")
    assert (verdict.breaker, verdict.until) == ("", None)
    assert (PAUSED in opened(verdict)) is is_paused


def test_what_a_person_paused_is_paused_by_nobody_else() -> None:
    verdict = judge(owner(enabled=False, failures=9), [ending(1)])
    assert (verdict.failures, verdict.breaker, verdict.reason) == (10, "", "")


def test_a_success_does_not_resume_what_a_person_paused() -> None:
    assert not judge(owner(enabled=False, failures=9), [ending(1, ok=True)]).resumes


def test_a_success_beside_it_does_not_resume_what_can_do_no_better() -> None:
    verdict = judge(owner(), [ending(1, pauses=True), ending(2, ok=True)])
    assert verdict.pauses
    assert (verdict.failures, opened(verdict)) == (0, {PAUSED})


def test_what_fails_in_part_is_told_and_never_paused() -> None:
    verdict = judge(owner(failures=4), [ending(number, in_part=True) for number in range(1, 9)])
    assert (verdict.failures, opened(verdict), verdict.pauses) == (0, {FAILED}, False)
    assert verdict.closes == {WARNED}
    [seen] = verdict.opens
    assert seen.sentence == "Run 8 failed in part: It answered 503."


def test_a_probe_that_fails_in_part_closes_the_breaker() -> None:
    paused = owner(failures=5, breaker="half_open", enabled=False, paused_at=NOW)
    verdict = judge(paused, [ending(1, is_probe=True, in_part=True)])
    assert (verdict.breaker, verdict.resumes, opened(verdict)) == ("", True, {FAILED})
