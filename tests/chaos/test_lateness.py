"""I9: lateness and silence count while nothing is broken, and only then."""

import pytest

from chaos.checks.lateness import Window, goes_on, lateness, on_time, p95, quiet
from chaos.faults import Felt
from tests.chaos.stories import START, call, run

T = START.timestamp()
CALM = [Window(T, T + 1000)]


@pytest.mark.parametrize(
    ("felt", "windows"),
    [
        pytest.param([], [Window(0, 100)], id="nothing broken"),
        pytest.param([Felt("a", 10, 20)], [Window(0, 10), Window(20, 100)], id="once"),
        pytest.param([Felt("b", 15, 30), Felt("a", 10, 20)], [Window(0, 10), Window(30, 100)], id="twice at once"),
        pytest.param([Felt("a", 10, 60), Felt("b", 15, 30)], [Window(0, 10), Window(60, 100)], id="one within another"),
        pytest.param([Felt("a", 0, 120)], [], id="always"),
    ],
)
def test_the_windows_are_what_lies_between_the_faults(felt: list[Felt], windows: list[Window]) -> None:
    assert quiet(felt, 0, 100) == windows


def test_the_first_call_of_each_run_that_became_due_in_a_window_counts() -> None:
    runs = [run(0), run(1), run(2), run(3, cause="manual", occurrence=None), run(4)]
    calls = [call(0.5, 1), call(8, 9), call(11, 12, "r1"), call(25, 26, "r2"), call(30, 31, "r3")]
    late = lateness([Window(T, T + 15)], runs, calls, {"red/a": True})
    assert late == pytest.approx([0.5, 1.0])
    assert lateness([Window(T, T + 15)], runs, calls, {"red/a": False}) == []


@pytest.mark.parametrize(
    ("late", "wrong"),
    [
        pytest.param([0.1] * 100, [], id="none late"),
        pytest.param([0.1] * 97 + [9.0] * 3, [], id="a few late"),
        pytest.param([0.1] * 90 + [9.0] * 10, ["late"], id="many late"),
        pytest.param([9.0] * 5, [], id="too few to tell"),
    ],
)
def test_that_a_twentieth_comes_after_two_seconds_is_found(late: list[float], wrong: list[str]) -> None:
    assert [one.kind for one in on_time(late)] == wrong
    assert (p95(late) > 2) is bool(wrong)


@pytest.mark.parametrize(
    ("ended", "wrong"),
    [
        pytest.param([5, 14, 23], 0, id="steady"),
        pytest.param([5, 16, 23], 1, id="a gap"),
        pytest.param([11, 20], 1, id="a gap before the first"),
        pytest.param([5, 14], 1, id="a gap after the last"),
        pytest.param([], 1, id="nothing at all"),
    ],
)
def test_a_silence_of_ten_seconds_is_found(ended: list[float], wrong: int) -> None:
    assert [one.kind for one in goes_on([Window(0, 30)], ended)] == ["silent"] * wrong
