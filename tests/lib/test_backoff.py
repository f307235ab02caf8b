from datetime import timedelta

import pytest

from badgerjobs.lib.backoff import Incremental, with_jitter


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 10), (2, 20), (3, 30), (4, None), (50, None)])
def test_the_default_waits_ten_seconds_more_each_time_and_gives_up_after_three(
    attempt: int, seconds: int | None
) -> None:
    delay = Incremental().delay(attempt)
    assert delay == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("policy", "attempt", "seconds"),
    [
        (Incremental(step_s=60, retries=5), 5, 300),
        (Incremental(step_s=0.5, retries=1), 1, 0.5),
        (Incremental(step_s=0, retries=1), 1, 0),
    ],
)
def test_step_and_number_are_settings(policy: Incremental, attempt: int, seconds: float) -> None:
    assert policy.delay(attempt) == timedelta(seconds=seconds)


def test_no_retries_means_none() -> None:
    assert Incremental(retries=0).delay(1) is None


@pytest.mark.parametrize(("drawn", "seconds"), [(0.0, 20), (0.5, 21), (0.999, 21.998)])
def test_jitter_never_shortens_and_adds_a_tenth_at_most(drawn: float, seconds: float) -> None:
    jittered = with_jitter(timedelta(seconds=20), random=lambda: drawn)
    assert jittered == pytest.approx(timedelta(seconds=seconds), abs=timedelta(milliseconds=1))
    assert timedelta(seconds=20) <= jittered < timedelta(seconds=22)


def test_jitter_draws_anew_each_time() -> None:
    assert len({with_jitter(timedelta(seconds=20)) for _ in range(20)}) > 1


def test_jitter_takes_another_fraction() -> None:
    assert with_jitter(timedelta(seconds=10), 0.5, lambda: 0.5) == timedelta(seconds=12.5)
