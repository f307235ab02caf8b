"""What each schedule promised, as its job was made and changed: kept by whoever asked for it, not by what is tested."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from badgerjobs.lib.schedule import Schedule

INSTANT = timedelta(microseconds=1)
NEAR = timedelta(seconds=8)


@dataclass(slots=True)
class Era:
    """A schedule from when it was set until it was changed. `schedule` has its anchor; `first` is its first occurrence.

    Each occurrence up to `ends` must be in the books. Whoever changed it had to wait for the row, perhaps: those from
    then to `may_until` can be there, and need not.
    """

    schedule: Schedule
    first: datetime
    ends: datetime | None = None
    may_until: datetime | None = None

    @classmethod
    def of(cls, schedule: Schedule, now: datetime) -> "Era | None":
        """The one that begins with a schedule being set now, by hand only: none."""
        first = schedule.first(now)
        return cls(schedule.anchored(now), first) if first else None

    def occurrences(self, until: datetime) -> Iterator[datetime]:
        """From the first, up to `until`."""
        moment: datetime | None = self.first
        while moment and moment <= until:
            yield moment
            moment = self.schedule.next_after(moment) if self.schedule.is_recurring else None


@dataclass
class Promise:
    """A job and the eras of its schedule, in their order. `is_quick`: no policy of its own holds its calls back.

    `asked` is what was done to it besides, to be told beside what is wrong. `max_runs` ends its schedule; None: nothing
    does. `forgiven_at` is when it was resumed after its breaker had paused it: its failures count from then on.
    """

    name: str
    runnable_id: int
    overlap: str
    is_quick: bool
    max_runs: int | None = None
    forgiven_at: datetime | None = None
    eras: list[Era] = field(default_factory=list)
    asked: list[tuple[datetime, str]] = field(default_factory=list)
    is_deleted: bool = False

    def note(self, what: str, at: datetime) -> None:
        """Something was asked for."""
        self.asked.append((at, what))

    def around(self, first: datetime, last: datetime) -> str:
        """What was asked for around that time."""
        near = [(at, what) for at, what in self.asked if first - NEAR <= at <= last + NEAR]
        return "; ".join(f"{what} at {at:%H:%M:%S.%f}" for at, what in near) or "nothing was asked for around that time"

    @property
    def was_changed(self) -> bool:
        return len(self.eras) > 1

    def change(self, schedule: Schedule, *, now: datetime, committed: datetime) -> None:
        """Its schedule is another one from now on."""
        self.note("changed", now)
        self.end(now, may_until=committed)
        if era := Era.of(schedule, now):
            self.eras.append(era)

    def end(self, ends: datetime, *, may_until: datetime | None = None) -> None:
        """Nothing more is promised after that."""
        if self.eras:
            self.eras[-1].ends, self.eras[-1].may_until = ends, may_until or ends

    def must(self) -> list[datetime]:
        """All occurrences that the books must have."""
        return [at for era in self.eras if era.ends for at in era.occurrences(era.ends)]

    def may(self) -> set[datetime]:
        """Those that they may have besides."""
        return {at for era in self.eras if era.may_until for at in era.occurrences(era.may_until)} - set(self.must())

    def is_unsure(self, at: datetime) -> bool:
        """Whether its schedule was being changed at that moment: by then either one may have been dispatched."""
        return any(era.ends <= at <= era.may_until for era in self.eras[:-1] if era.ends and era.may_until)


@dataclass
class Promises:
    """All of them by job, `TENANT/TAG`."""

    by_name: dict[str, Promise] = field(default_factory=dict)
    asked: dict[str, Promise] = field(default_factory=dict)  # run → the job that it was asked of, and confirmed

    def add(self, promise: Promise) -> None:
        self.by_name[promise.name] = promise

    def confirm(self, run: str, promise: Promise) -> None:
        """A run was asked for, and the answer was that it is there."""
        self.asked[run] = promise

    def confirmed(self) -> set[str]:
        """Runs of jobs that are still there, which must be there too."""
        return {run for run, promise in self.asked.items() if not promise.is_deleted}

    def kept(self) -> list[Promise]:
        """Those whose jobs are still there."""
        return [promise for promise in self.by_name.values() if not promise.is_deleted]
