"""What is broken when: enough of each, and the same for the same seed."""

import pytest

from chaos.plan import BEATS, CALM_S, DECK, FAULTS_OF_ENGINE, WORKERS, Strike, kinds, plan, storms

TEN_MINUTES, DEFAULT = 600.0, 45.0


def test_the_same_seed_breaks_the_same_and_another_does_not() -> None:
    assert plan(4, DEFAULT) == plan(4, DEFAULT)
    assert plan(4, DEFAULT) != plan(5, DEFAULT)


@pytest.mark.parametrize("seed", range(10))
def test_ten_minutes_have_200_faults_with_60_kills_of_the_engine_and_20_flushes(seed: int) -> None:
    counted = kinds(plan(seed, TEN_MINUTES))
    assert sum(counted.values()) >= 200
    assert sum(counted[fault] for fault in FAULTS_OF_ENGINE) >= 60
    assert counted["flush_broker"] >= 20
    assert min(counted.values()) >= 5
    assert counted.keys() == DECK.keys()


def test_the_default_breaks_every_part_once_and_stops_a_worker_for_longer_than_its_lease() -> None:
    strikes = plan(4, DEFAULT)
    assert min(kinds(strikes).values()) >= 1
    assert any(strike.fault == "freeze_worker" and strike.lasts > 20 for strike in strikes)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_broken_is_not_broken_twice_at_once(seed: int) -> None:
    whole: dict[str, Strike] = {}
    for strike in plan(seed, TEN_MINUTES):
        before = whole.get(strike.target)
        assert before is None or before.heals_at < strike.at
        whole[strike.target] = strike


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("seconds", [15.0, DEFAULT, 100.0, TEN_MINUTES])
def test_in_a_calm_nothing_is_broken(seed: int, seconds: float) -> None:
    found = storms(seconds)
    assert found[-1][1] <= seconds - CALM_S
    for strike in plan(seed, seconds):
        assert any(begins <= strike.at and strike.heals_at <= ends + 0.1 for begins, ends in found)


def test_a_clock_is_put_by_seconds_and_nothing_else_has_an_amount() -> None:
    for strike in plan(1, TEN_MINUTES):
        assert (1 < abs(strike.amount) < 10) is (strike.fault == "skew_clock")
        if strike.fault == "skew_clock":
            assert strike.target in BEATS + WORKERS
