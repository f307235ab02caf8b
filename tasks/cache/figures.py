"""What the page of the cache tells. Each part is looked up when it is shown: the page has all, a poll has one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import Count, Sum

from badgerjobs.lib import charts, time_bars
from badgerjobs.lib.time_bars import Range, Span
from badgerjobs.sources.models import DataSource
from badgerjobs.web import remembering
from badgerjobs.workspaces.models import Application
from tasks.cache.slowest_sources import slowest_sources
from tasks.cache.sync_tallies import SyncTally, sync_tallies
from tasks.keys.states import KeyState, standing
from tasks.models import CacheKey, CacheReads, KeySync, SyncState

# How old (seconds) the counts of keys and the lists of the largest and the slowest may be: they read every key.
KEYS_S, LARGEST_S, SLOWEST_S = 15.0, 60.0, 60.0
# Of an application with more keys than this, one in so many is read, and stands for as many.
MOST_READ = 200_000
# So many of each list are shown; those that fail are looked for among so many of the last failures.
SHOWN, LAST_FAILURES = 8, 500
# How high the drawings are; the least end of the scale of durations (milliseconds).
TALL, MIDDLE, LOW = 96, 40, 24
TOOK, SCALE_MS = 60, 1000


class Reads(NamedTuple):
    """How often values were read: fresh, stale, and not at once, since nothing was there that might be served.

    A reader of one key waits then; a reader of many is told which are missing.
    """

    hits: int = 0
    stale: int = 0
    misses: int = 0

    @property
    def total(self) -> int:
        return self.hits + self.stale + self.misses

    @property
    def at_once(self) -> int:
        """Those that were served without a wait for the source, fresh or stale."""
        return self.hits + self.stale

    @property
    def hit_percent(self) -> float | None:
        """How many in a hundred were served at once; None of nothing."""
        return 100 * self.at_once / self.total if self.total else None

    def __add__(self, other: Any) -> "Reads":
        return Reads(self.hits + other.hits, self.stale + other.stale, self.misses + other.misses)


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time: how often was read, and what was synced; `syncs` is None while that is not counted."""

    title: str
    reads: Reads
    syncs: SyncTally | None

    @property
    def took(self) -> tuple[float | None, float | None]:
        """p50 and p95 of its syncs, in milliseconds."""
        return (self.syncs.took(0.5), self.syncs.took(0.95)) if self.syncs else (None, None)


@dataclass(frozen=True, slots=True)
class Keys:
    """How many keys there are in each state (`KeyState`), and how many bytes stand under them.

    With `one_in` above 1 these are estimates: of so many keys one was read.
    """

    counts: dict[str, int]
    bytes: int
    one_in: int

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Slow:
    """A source, and how long the last fetch of its keys took: half of them and 95 in 100, in milliseconds.

    `keys` is how many were looked at; with `is_part` they are its newest ones.
    """

    source: DataSource
    keys: int
    middle: float
    worst: float
    is_part: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """Reads and syncs over time: bars, and lines of durations (p50 and p95)."""

    hits: list[charts.Rect]
    misses: list[charts.Rect]
    syncs: list[charts.Rect]
    failed: list[charts.Rect]
    middle: str
    worst: str
    axis: list[str]


class Figures:
    """`now` is the moment of which it tells, `place` the reader's zone."""

    def __init__(self, application: Application, of: Range, *, now: datetime, place: tzinfo) -> None:
        self.application, self.range, self.now, self._place = application, of, now, place

    @cached_property
    def has_sources(self) -> bool:
        return DataSource.objects.for_application(self.application).exists()

    @cached_property
    def first_key(self) -> str | None:
        """The name of some key; None where there is none."""
        return (
            CacheKey.objects.for_application(self.application).order_by("name").values_list("name", flat=True).first()
        )

    @cached_property
    def keys(self) -> Keys:
        name = f"cache-keys:{self.application.pk}"
        return Keys(**remembering.shared(name, KEYS_S, self._count_keys, self.now.timestamp()))

    def _count_keys(self) -> dict[str, Any]:
        rows, one_in = self._some()
        counted = rows.aggregate(
            bytes=Sum("value__bytes"),
            **{state.value: Count("pk", filter=standing(state, self.now)) for state in KeyState},
        )
        counts = {state.value: counted[state.value] * one_in for state in KeyState}
        return {"counts": counts, "bytes": (counted["bytes"] or 0) * one_in, "one_in": one_in}

    def _some(self) -> tuple[Any, int]:
        """Its keys, or one in so many of them."""
        rows = CacheKey.objects.for_application(self.application)
        one_in = -(-rows.count() // MOST_READ) or 1
        return (rows if one_in == 1 else rows.extra(where=["tasks_cachekey.id %% %s = 0"], params=[one_in])), one_in

    @cached_property
    def largest(self) -> list[dict[str, Any]]:
        """The keys with the largest values: name, bytes."""
        name = f"cache-largest:{self.application.pk}"
        found: list[dict[str, Any]] = remembering.shared(name, LARGEST_S, self._find_largest, self.now.timestamp())
        return found

    def _find_largest(self) -> list[dict[str, Any]]:
        rows, _ = self._some()
        rows = rows.filter(value__bytes__gt=0).order_by("-value__bytes").values_list("name", "value__bytes")
        return [{"name": name, "bytes": size} for name, size in rows[:SHOWN]]

    @cached_property
    def failing(self) -> Sequence[CacheKey]:
        """The keys whose last try failed, of those that failed last."""
        failures = KeySync.objects.for_application(self.application).filter(state=SyncState.FAILED)
        last = list(dict.fromkeys(failures.order_by("-id").values_list("key_id", flat=True)[:LAST_FAILURES]))
        rows = CacheKey.objects.for_application(self.application).filter(pk__in=last, value__error_class__gt="")
        rows = rows.select_related("value", "source").defer("value__body", "source__configuration")
        return list(rows.order_by("-value__tried_at")[:SHOWN])

    @cached_property
    def _starts(self) -> list[datetime]:
        return time_bars.starts(self.range, self.now, self._place)

    @cached_property
    def bars(self) -> list[Bar]:
        spans = [Span(start, self.range.length) for start in self._starts]
        reads, syncs = self._reads(spans), sync_tallies(self.application.pk, spans, self.now)
        return [
            Bar(time_bars.title(span, self._place), its_reads, syncs.get(span))
            for span, its_reads in zip(spans, reads, strict=True)
        ]

    def _reads(self, spans: Sequence[Span]) -> list[Reads]:
        rows = CacheReads.objects.for_application(self.application).filter(hour__gte=spans[0].start)
        found = [Reads()] * len(spans)
        for hour, *counts in rows.values_list("hour", "hits", "stale", "misses"):
            place = (hour - spans[0].start) // self.range.length
            if place < len(found):
                found[place] += Reads(*counts)
        return found

    @property
    def is_counted(self) -> bool:
        """Whether the syncs of every bar have been counted. If not, it takes longer than a page may."""
        return all(bar.syncs is not None for bar in self.bars)

    @cached_property
    def reads(self) -> Reads:
        return sum((bar.reads for bar in self.bars), Reads())

    @cached_property
    def syncs(self) -> SyncTally:
        return SyncTally.sum(bar.syncs for bar in self.bars if bar.syncs)

    @cached_property
    def took(self) -> tuple[float | None, float | None]:
        """p50 and p95 of all syncs of the range, in milliseconds."""
        return self.syncs.took(0.5), self.syncs.took(0.95)

    @cached_property
    def drawn(self) -> Drawn:
        middle, worst = zip(*(bar.took for bar in self.bars), strict=True)
        most = max([SCALE_MS, *(ms for ms in worst if ms)])
        return Drawn(
            self._rects((bar.reads.at_once for bar in self.bars), TALL, "at once"),
            self._rects((bar.reads.misses for bar in self.bars), LOW, "missed"),
            self._rects((bar.syncs.syncs if bar.syncs else 0 for bar in self.bars), MIDDLE, "synced"),
            self._rects((bar.syncs.failed if bar.syncs else 0 for bar in self.bars), LOW, "failed"),
            _line(middle, most),
            _line(worst, most),
            time_bars.axis(self._starts, self.range, self._place),
        )

    def _rects(self, counts: Iterable[int], height: float, word: str) -> list[charts.Rect]:
        return charts.rects([(bar.title, count) for bar, count in zip(self.bars, counts, strict=True)], height, word)

    @cached_property
    def slowest(self) -> list[Slow]:
        """The sources whose keys took longest when they were fetched last, slowest first."""
        name = f"cache-slowest:{self.application.pk}"
        found = remembering.shared(name, SLOWEST_S, self._find_slowest, self.now.timestamp())
        rows = DataSource.objects.for_application(self.application).defer("configuration")
        sources = rows.in_bulk([source for source, *_ in found])
        return [Slow(sources[source], *told) for source, *told in found if source in sources]

    def _find_slowest(self) -> list[list[Any]]:
        return slowest_sources(self.application.pk, most_read=MOST_READ, shown=SHOWN)


def _line(durations: Iterable[float | None], most: float) -> str:
    return charts.line([charts.logarithmic(ms, most, TOOK) for ms in durations])
