"""The last runs of an async job, drawn: how many rows each wrote, how long it took, and what became of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo

from django.urls import reverse

from badgerjobs.lib import charts, words
from badgerjobs.runs.measures import took_ms
from badgerjobs.runs.models import Run, State
from badgerjobs.runs.skipped import line
from slurps.rows import Counts

# So many runs are drawn; how high the lanes are, in units of their own.
DRAWN, HIGH = 30, 40

# What became of a run, in the order in which the key of the drawing tells it, and in its words.
BECAME = {
    "wrote": "wrote rows",
    "nothing": "wrote none",
    "held": "held for approval",
    "unseen": "dropped or replaced",
    "failed": "failed",
    "aborted": "aborted",
    "skipped": "skipped",
}
_STEP = charts.WIDTH / DRAWN
# A bar is as much narrower than its place.
_GAP = 1.2


@dataclass(frozen=True, slots=True)
class Mark:
    """A run: where it stands, what became of it, and how high its two bars are; `address` is that of its log."""

    place: float
    became: str
    rows: float
    took: float
    title: str
    address: str

    @property
    def x(self) -> float:
        return round(self.place + _GAP, 2)

    @property
    def middle(self) -> float:
        return round(self.place + _STEP / 2, 2)

    @property
    def rows_top(self) -> float:
        return HIGH - self.rows

    @property
    def took_top(self) -> float:
        return HIGH - self.took


@dataclass(frozen=True, slots=True)
class Drawing:
    """The last runs that are over, oldest first, at the right; the most rows and the longest time give the scale."""

    marks: list[Mark]
    key: list[tuple[str, str, int]]
    most_rows: int
    most_ms: float
    last_rows: int
    last_ms: float

    step = _STEP
    width = _STEP - 2 * _GAP


def drawing_of(newest_first: Iterable[Run], slug: str, zone: tzinfo) -> Drawing | None:
    """Of an application with this slug, in this zone. None where there are no two of them to compare."""
    runs = list(newest_first)[::-1]
    if len(runs) < 2:
        return None
    told = [(run, Counts.of_output(run.output) or Counts(), took_ms(run) or 0) for run in runs]
    most_rows, most_ms = max(one.written for _, one, _ in told), max(took for _, _, took in told)
    marks = [
        Mark(
            round((DRAWN - len(runs) + place) * _STEP, 2),  # few stand at the right, no wider than many
            became(run, counts),
            _height(counts.written, most_rows),
            _height(took, most_ms),
            _title(run, counts, took, zone),
            reverse("runs:run", args=[slug, run.pk]),
        )
        for place, (run, counts, took) in enumerate(told)
    ]
    how_many = Counter(mark.became for mark in marks)
    key = [(name, said, how_many[name]) for name, said in BECAME.items() if how_many[name]]
    _, last, last_ms = told[-1]
    return Drawing(marks, key, most_rows, most_ms, last.written, last_ms)


def became(run: Run, counts: Counts) -> str:
    """One of BECAME."""
    if run.state != State.SUCCEEDED:
        return str(run.state)
    if counts.is_held:
        return "held"
    if counts.was_never_shown:
        return "unseen"
    return "wrote" if counts.written else "nothing"


def _height(value: float, most: float) -> float:
    return round(max(1.5, HIGH * value / most), 1) if value else 0  # one among a million is seen too


def _title(run: Run, counts: Counts, took: float, zone: tzinfo) -> str:
    """What stands at the pointer."""
    if run.state == State.SKIPPED:
        return line(run, zone)
    said = counts.words if run.state == State.SUCCEEDED else f"{run.state}{run.error and f': {run.error[:200]}'}"
    return f"Run {run.number}: {said}; took {words.duration(took)}"
