"""What an application's overview shows. Each part is looked up when it is shown: the page has all, a poll has one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from typing import Any

from django.db.models.functions import Coalesce

from badgerjobs.lib import charts, words
from badgerjobs.lib.time_bars import Range
from badgerjobs.panel import counting, lanes, moment, needs, ranges
from badgerjobs.panel.kinds import KINDS, Named
from badgerjobs.panel.ranges import RANGES, Bar
from badgerjobs.panel.tallies import Tally
from badgerjobs.runs.models import Runnable
from badgerjobs.web import remembering
from badgerjobs.workspaces.models import Application

# The strip of now is drawn once in so many seconds, however many look at it.
LIVE_S = 1.9
# How many of what is due next are looked at for the strip, and how many are listed.
SOONEST, NEXT = 50, 5
# Later than this (milliseconds) is late: a line in the drawing of lateness, and the least of its scale.
LIMIT_MS, SCALE_MS = 1000, 1500
TALL, MIDDLE, LOW = 96, 40, 24
LATE = 60


@dataclass(frozen=True, slots=True)
class Row:
    """A kind in the table of kinds. `successes` is a path, a point for each bar: the higher the better."""

    named: Named
    runs: int
    failed: int
    percent: float | None
    successes: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """The runs over time: bars of each state, lines of lateness (p50 and p99), and what all of it adds up to."""

    total: Tally
    succeeded: list[charts.Rect]
    failed: list[charts.Rect]
    skipped: list[charts.Rect]
    middle: str
    worst: str
    limit: float | None
    axis: list[str]

    @property
    def succeeded_count(self) -> int:
        return self.total.of("succeeded")

    @property
    def failed_count(self) -> int:
        return self.total.of("failed")

    @property
    def skipped_count(self) -> int:
        return self.total.of("skipped")

    @property
    def most_succeeded(self) -> int:
        return max((rect.count for rect in self.succeeded), default=0)

    @property
    def most_failed(self) -> int:
        return max((rect.count for rect in self.failed), default=0)


class Overview:
    """`now` is the moment of which it tells, `place` the reader's zone."""

    def __init__(self, application: Application, of: Range, *, now: datetime, place: tzinfo) -> None:
        self.application, self.range, self.now, self._place = application, of, now, place

    @cached_property
    def moment(self) -> moment.Moment:
        return moment.look(self.application.pk, self.now)

    @property
    def has_anything(self) -> bool:
        """Whether there is anything that could run."""
        return self.moment.has_runnables

    @cached_property
    def needs(self) -> needs.Needs:
        return needs.needs(self.application, self.moment, self.now)

    @cached_property
    def oldest_due_ms(self) -> float | None:
        return self.moment.oldest_due_ms(self.now)

    @cached_property
    def bars(self) -> list[Bar]:
        wanted = ranges.wanted(self.range, self.now, self._place)
        return ranges.bars(self.range, self.now, self._place, counting.tallies(self.application.pk, wanted, self.now))

    @property
    def is_counted(self) -> bool:
        """Whether all of every bar has been counted. If not, somebody is at it, or it takes longer than a page may."""
        return all(bar.is_whole for bar in self.bars)

    @cached_property
    def total(self) -> Tally:
        return Tally.sum(bar.tally for bar in self.bars if bar.tally)

    @cached_property
    def succeeded_percent(self) -> float | None:
        return self.total.succeeded_percent()

    @cached_property
    def lateness(self) -> tuple[float | None, float | None]:
        """p50 and p99 of all runs of the range, in milliseconds."""
        return self.total.lateness(0.5), self.total.lateness(0.99)

    @cached_property
    def live(self) -> list[tuple[str, dict[str, Any]]]:
        """Each kind's word with its lane."""
        found = remembering.shared(f"live:{self.application.pk}", LIVE_S, self._lanes, self.now.timestamp())
        return [(KINDS[kind].many, lane) for kind, lane in found.items() if kind in KINDS and _is_shown(kind, lane)]

    @property
    def live_axis(self) -> list[str]:
        """What the clock of the reader shows at the beginning of the strip, in between, and now."""
        return [words.clock((self.now - timedelta(minutes=back)).replace(second=0), self._place) for back in (10, 5, 0)]

    def _lanes(self) -> dict[str, Any]:
        return lanes.lanes(self.application.pk, lambda: self.soonest, self.now)

    @cached_property
    def soonest(self) -> Sequence[Runnable]:
        planned = Runnable.objects.for_application(self.application).planned()
        names = Coalesce("job__name", "task__name", "async_job__name", "name")
        found = list(planned.annotate(called=names).order_by("next_run_at")[:SOONEST])
        for one in found:
            one.title = one.called  # type: ignore[attr-defined]  # an annotation
            one.page = KINDS[one.kind].page  # type: ignore[attr-defined]  # for the template
        return found

    @cached_property
    def next(self) -> Sequence[Runnable]:
        return self.soonest[:NEXT]

    @cached_property
    def day(self) -> Drawn:
        middle, worst = [_late(bar, 0.5) for bar in self.bars], [_late(bar, 0.99) for bar in self.bars]
        most = max([SCALE_MS, *(late for late in worst if late)])
        return Drawn(
            self.total,
            self._rects("succeeded", TALL),
            self._rects("failed", MIDDLE),
            self._rects("skipped", LOW),
            _line(middle, most),
            _line(worst, most),
            charts.logarithmic(LIMIT_MS, most, LATE),
            ranges.axis(self.bars, self.range, self._place),
        )

    def _rects(self, state: str, height: float) -> list[charts.Rect]:
        counts = [(bar.title(self._place), bar.tally.of(state) if bar.tally else 0) for bar in self.bars]
        return charts.rects(counts, height, state)

    @cached_property
    def kinds(self) -> list[Row]:
        rows = [self._row(kind) for kind in KINDS]
        return [row for row in rows if row.runs or not row.named.if_any]

    def _row(self, kind: str) -> Row:
        percents = [bar.tally.succeeded_percent(kind) if bar.tally else None for bar in self.bars]
        heights = [None if percent is None else 18 - 16 * percent / 100 for percent in percents]
        runs, failed = self.total.runs(kind), self.total.of("failed", kind=kind)
        return Row(KINDS[kind], runs, failed, self.total.succeeded_percent(kind), charts.line(heights, width=24))


def _is_shown(kind: str, lane: dict[str, Any]) -> bool:
    drawn = ("ended", "failed", "stretches", "running", "due")
    return not KINDS[kind].if_any or any(lane[name] for name in drawn)


def range_named(name: str) -> Range:
    """The range that an address names; the usual one for any other word."""
    return RANGES.get(name, ranges.DEFAULT)


def _late(bar: Bar, share: float) -> float | None:
    return bar.tally.lateness(share) if bar.tally else None


def _line(lates: Iterable[float | None], most: float) -> str:
    return charts.line([charts.logarithmic(late, most, LATE) for late in lates])
