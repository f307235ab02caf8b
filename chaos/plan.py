"""What is broken when: drawn from a seed before anything starts, so that a run can be had again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

# Of each it breaks, how often in a deck of twenty: kills and flushes are most of it.
DECK = {
    "kill_worker": 3,
    "kill_beat": 3,
    "kill_web": 1,
    "flush_broker": 3,
    "freeze_worker": 2,
    "freeze_beat": 2,
    "skew_clock": 1,
    "refuse_calls": 1,
    "hang_calls": 1,
    "kill_database": 1,
    "restart_database": 1,
    "kill_broker": 1,
}

# Those that kill a beat or a worker outright.
FAULTS_OF_ENGINE = ("kill_worker", "kill_beat")

# Storms with calms between them, in which nothing is broken and everything must be as it should: seconds.
STORM_S, CALM_S = 30.0, 12.0
PACE_S = 1.5  # between two faults, on an average
# A process that was killed needs so long until it may be struck again; what else is broken at once is left to chance.
BREATH_S = 2.0

# How long each lasts, in seconds. A worker that stands still for longer than 20 s loses what it has.
LASTS = {
    "kill_worker": (0.3, 2.5),
    "kill_beat": (0.3, 2.5),
    "kill_web": (0.3, 2.5),
    "flush_broker": (0.0, 0.0),
    "freeze_worker": (1.0, 8.0),
    "freeze_beat": (1.0, 8.0),
    "skew_clock": (5.0, 15.0),
    "refuse_calls": (1.0, 4.0),
    "hang_calls": (1.0, 7.0),
    "kill_database": (0.2, 1.5),
    "restart_database": (0.2, 1.5),
    "kill_broker": (0.5, 4.0),
}
LONG_FREEZE = (21.0, 25.0)
MOST_SKEWED_S = 9.0

WORKERS = ("worker-1", "worker-2", "worker-3")
BEATS = ("beat-1", "beat-2", "beat-3")
WEB = ("web",)
TARGETS = {
    "kill_worker": WORKERS,
    "kill_beat": BEATS,
    "kill_web": WEB,
    "flush_broker": ("valkey",),
    "freeze_worker": WORKERS,
    "freeze_beat": BEATS,
    "skew_clock": WORKERS + BEATS,
    "refuse_calls": ("receiver",),
    "hang_calls": ("receiver",),
    "kill_database": ("postgres",),
    "restart_database": ("postgres",),
    "kill_broker": ("valkey",),
}


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault: begun `at` so many seconds, healed `lasts` seconds later. `amount` is how far a clock is put."""

    at: float
    fault: str
    target: str
    lasts: float
    amount: float = 0.0

    @property
    def heals_at(self) -> float:
        return self.at + self.lasts


def plan(seed: int, seconds: float) -> list[Strike]:
    """All strikes of a run, in the order of their times. The last storm ends with a calm's time left."""
    rng = Random(seed)  # noqa: S311  to be had again, not to be guessed
    cards = _cards(rng)
    return [strike for begins, ends in storms(seconds) for strike in _storm(rng, cards, begins, ends)]


def storms(seconds: float) -> list[tuple[float, float]]:
    """When each begins and ends. A time that is too short for a whole one and a calm has a shorter one."""
    found = []
    begins = 0.0
    while (ends := min(begins + STORM_S, seconds - CALM_S)) - begins >= PACE_S:
        found.append((begins, ends))
        begins = ends + CALM_S
    return found


def _storm(rng: Random, cards: Iterator[str], begins: float, ends: float) -> Iterator[Strike]:
    free_at: dict[str, float] = {}
    at = begins
    while (at := at + rng.uniform(0.6, 1.4) * PACE_S) < ends:
        fault, target = _drawn(rng, cards, free_at, at)
        strike = Strike(at, fault, target, _lasting(rng, fault, ends - at), _amount(rng, fault))
        free_at[target] = strike.heals_at + BREATH_S
        yield strike


def _drawn(rng: Random, cards: Iterator[str], free_at: dict[str, float], at: float) -> tuple[str, str]:
    """The next card that has a target which is well. A broker can always be emptied."""
    for fault in cards:
        if free := [target for target in TARGETS[fault] if free_at.get(target, 0.0) <= at]:
            return fault, rng.choice(free)
    raise AssertionError("The cards have no end.")


def _cards(rng: Random) -> Iterator[str]:
    deck = [fault for fault, count in DECK.items() for _ in range(count)]
    while True:
        rng.shuffle(deck)
        yield from deck


def _lasting(rng: Random, fault: str, left: float) -> float:
    least, most = LASTS[fault]
    # Long ones must begin early: when the storm ends, all is well again.
    if fault.startswith("freeze") and left > LONG_FREEZE[0]:
        least, most = LONG_FREEZE
    return min(rng.uniform(least, most), max(left, 0.1))


def _amount(rng: Random, fault: str) -> float:
    return rng.choice((-1, 1)) * rng.uniform(1.5, MOST_SKEWED_S) if fault == "skew_clock" else 0.0


def kinds(strikes: Iterable[Strike]) -> dict[str, int]:
    """How many of each."""
    counted = dict.fromkeys(DECK, 0)
    for strike in strikes:
        counted[strike.fault] += 1
    return counted
