"""When the next attempt is made."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from badgerjobs.lib import words
from badgerjobs.lib.backoff import (
    GROWTH,
    LIST,
    LONGEST,
    LONGEST_ASKED,
    REPEATER,
    Next,
    Retries,
    next_attempt,
    with_jitter,
)

BEGAN = datetime(2026, 11, 22, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WEEK_S = 7 * 86_400


@pytest.mark.parametrize(
    ("policy", "waits_s"),
    [
        pytest.param(Retries(), [10, 20, 30], id="the default"),
        pytest.param(Retries(step_s=60, retries=5), [60, 120, 180, 240, 300], id="incremental"),
        pytest.param(Retries("exponential", 5, 10), [10, 20, 40, 80, 160], id="exponential"),
        pytest.param(Retries("polynomial", 4, 2), [2, 32, 162, 512], id="polynomial"),
        pytest.param(Retries(LIST, 3, 10, (7, 7, 1)), [7, 7, 1], id="a list"),
        pytest.param(Retries(LIST, 2, 10, (7, 7, 1)), [7, 7], id="a list that is longer than its retries"),
        pytest.param(Retries(LIST, 9, 10, (7,)), [7], id="a list that is shorter"),
        pytest.param(Retries(LIST, 3), [], id="an empty list"),
        pytest.param(Retries(retries=0), [], id="none"),
        pytest.param(REPEATER, [nth**4 for nth in range(1, 25)], id="repeater"),
        pytest.param(Retries("exponential", 4, 86_400), [86_400, 172_800, 345_600, WEEK_S], id="capped"),
        pytest.param(Retries("exponential", 3000, 86_400), [86_400, 172_800, 345_600, *[WEEK_S] * 2997], id="vast"),
    ],
)
def test_a_policy_is_its_waits(policy: Retries, waits_s: list[int]) -> None:
    assert policy.delays_of_all() == [timedelta(seconds=wait) for wait in waits_s]
    assert policy.delay(len(waits_s) + 1) is None


def test_no_wait_of_the_repeater_is_cut() -> None:
    assert REPEATER.delay(24) == timedelta(seconds=331_776) < LONGEST


@pytest.mark.parametrize(("drawn", "seconds"), [(0.0, 20), (0.5, 21), (0.999, 21.998)])
def test_jitter_never_shortens_and_adds_a_tenth_at_most(drawn: float, seconds: float) -> None:
    jittered = with_jitter(timedelta(seconds=20), random=lambda: drawn)
    assert jittered == pytest.approx(timedelta(seconds=seconds), abs=timedelta(milliseconds=1))
    assert timedelta(seconds=20) <= jittered < timedelta(seconds=22)


def test_jitter_draws_anew_each_time() -> None:
    assert len({with_jitter(timedelta(seconds=20)) for _ in range(20)}) > 1


def test_jitter_takes_another_fraction() -> None:
    assert with_jitter(timedelta(seconds=10), 0.5, lambda: 0.5) == timedelta(seconds=12.5)


def following(policy: Retries, attempt: int = 1, *, took_s: float = 0, **more: Any) -> Next:
    return next_attempt(policy, attempt, began=BEGAN, failed=BEGAN + timedelta(seconds=took_s), **more)


@pytest.mark.parametrize(
    ("policy", "attempt", "took_s", "asked_s", "wait_s"),
    [
        pytest.param(Retries(), 2, 15, None, 20, id="nothing asked"),
        pytest.param(Retries(), 1, 0, 5, 10, id="less is asked than it waits anyway"),
        pytest.param(Retries(), 1, 0, 60, 60, id="more is asked"),
        pytest.param(Retries(), 1, 0, 86_400, 86_400, id="as much is asked as is granted"),
        pytest.param(Retries(for_s=100), 1, 90, None, 10, id="it ends with this one"),
        pytest.param(Retries(for_s=100), 1, 0, 100, 100, id="asked for until the very end"),
    ],
)
def test_the_wait_is_the_longer_of_the_policys_and_what_is_asked_for(
    policy: Retries, attempt: int, took_s: int, asked_s: int | None, wait_s: int
) -> None:
    asked = timedelta(seconds=asked_s) if asked_s else None
    found = following(policy, attempt, took_s=took_s, asked=asked)
    assert found.at
    wait = found.at - BEGAN - took_s * SECOND
    assert wait_s * SECOND <= wait <= 1.1 * wait_s * SECOND
    if policy.for_s:
        assert found.at <= BEGAN + policy.for_s * SECOND


@pytest.mark.parametrize(
    ("policy", "attempt", "took_s", "asked", "why"),
    [
        pytest.param(Retries(), 4, 0, None, "", id="no retries left"),
        pytest.param(Retries(), 4, 0, timedelta(days=9), "", id="no retries left, whatever is asked"),
        pytest.param(
            Retries(for_s=100), 1, 91, None, "Its retries end 1 min 40 s after its first attempt began.", id="too late"
        ),
        pytest.param(
            Retries(for_s=3600), 1, 0, 2 * 3600 * SECOND,
            "The endpoint asks to be left alone for 2 h. Its retries end 1 h after its first attempt began.",
            id="too late for what is asked",
        ),
        pytest.param(
            Retries(), 1, 0, LONGEST_ASKED + SECOND,
            "The endpoint asks to be left alone for 1 d. No run waits longer than 1 d for that.",
            id="more is asked than is granted",
        ),
    ],
)  # fmt: skip
def test_no_further_attempt_is_made_and_a_sentence_says_why(
    policy: Retries, attempt: int, took_s: int, asked: timedelta | None, why: str
) -> None:
    assert following(policy, attempt, took_s=took_s, asked=asked) == Next(None, why)


@pytest.mark.parametrize("backoff", GROWTH)
def test_the_guide_to_jobs_tells_the_waits_of_each_policy(backoff: str) -> None:
    guide = (Path(__file__).resolve().parents[2] / "docs" / "jobs.md").read_text()
    waits = [words.duration(wait / timedelta(milliseconds=1)) for wait in Retries(backoff).delays_of_all()]
    [row] = [line for line in guide.splitlines() if line.startswith(f"| `{backoff}` |")]
    assert row.endswith(f"| {', '.join(waits)} |")
