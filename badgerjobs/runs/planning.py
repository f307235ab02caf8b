"""What becomes of a schedule whose time has come: pure, so that every rule of it is a row in a test.

docs/time.md says it in words: what was missed, what overlaps, and when the next one is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from badgerjobs.lib.schedule import Schedule
from badgerjobs.runs.models import CatchUp, Overlap, SkipReason

# An occurrence dispatched within this time of its due one was not missed: a slow tick is no outage.
ON_TIME = timedelta(seconds=60)
# So many occurrences of one runnable a tick catches up at the most; the others come with the next ticks.
CAUGHT_UP_AT_ONCE = 100

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Due:
    """A runnable that is due: its policies, and the occurrence whose time has come first.

    `offset` is its place in its spread: it is due so long after each occurrence. `left` is how many more runs its
    schedule may make; None: any number. `stands_for` is the moment that this occurrence stands for where that was past
    when it was planned, so that it was due at once.
    """

    runnable_id: int
    occurrence: datetime
    schedule: Schedule
    offset: timedelta = timedelta(0)
    overlap: str = Overlap.SKIP
    catch_up: str = CatchUp.LATEST
    within: timedelta | None = None
    left: int | None = None
    stands_for: datetime | None = None

    def named(self, at: datetime) -> datetime:
        """The planned moment of one that is due at this one."""
        return self.stands_for or at if at == self.occurrence else at

    @property
    def oldest_age(self) -> timedelta | None:
        """How late an occurrence may be to be run all the same; None: any."""
        return ON_TIME if self.catch_up == CatchUp.NONE else self.within


@dataclass(frozen=True, slots=True)
class Active:
    """What a runnable has under way: whether anything, and whether a run waits for that to end.

    `asked`: some of it was not made by its schedule, but asked for.
    """

    any: bool = False
    held: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One that becomes a run, due at `due_at`; `held` until the run before it is over."""

    at: datetime
    due_at: datetime
    held: bool = False


@dataclass(frozen=True, slots=True)
class Skip:
    """Occurrences, `count` of them from `first` to `last`, that are not run."""

    reason: SkipReason
    first: datetime
    last: datetime
    count: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What a tick does with one runnable. `cancels`: what its schedule has under way is aborted first.

    `next_run_at` None: it is planned no more.
    """

    runnable_id: int
    next_run_at: datetime | None
    runs: list[Occurrence] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    cancels: bool = False
    # Why its schedule cannot be computed, if so.
    fault: str | None = None


def plan(due: Due, active: Active, now: datetime, *, at_once: int = CAUGHT_UP_AT_ONCE) -> Plan:
    """Decide on every occurrence up to now, or on `at_once` of them that are run, and on the time after.

    Raises ScheduleError for a schedule that makes no sense.
    """
    following = due.schedule.next_after(due.occurrence) if due.schedule.is_recurring else None
    latest = now - due.offset  # the occurrences up to here are due
    skips: list[Skip] = []
    if (following is None or following > latest) and not _is_too_old(due, due.occurrence, now):
        wanted = [due.occurrence]
    else:
        missed, wanted = _caught_up(due, latest, now, at_once)
        skips += [missed] if missed else []
        following = due.schedule.next_after(wanted[-1] if due.catch_up == CatchUp.ALL and wanted else latest)
    runs, overlapped, cancels = _overlapping(due, wanted, active)
    next_run_at = following + due.offset if following and not _is_last(due, runs) else None
    return _named(due, Plan(due.runnable_id, next_run_at, runs, skips + overlapped, cancels))


def _named(due: Due, found: Plan) -> Plan:
    if due.stands_for is None:
        return found
    runs = [replace(run, at=due.named(run.at)) for run in found.runs]
    skips = [replace(skip, first=due.named(skip.first), last=due.named(skip.last)) for skip in found.skips]
    return replace(found, runs=runs, skips=skips)


def _is_last(due: Due, runs: list[Occurrence]) -> bool:
    """Whether the schedule ends with these: what comes after its last run is not planned."""
    return due.left is not None and len(runs) >= due.left


def _is_too_old(due: Due, occurrence: datetime, now: datetime) -> bool:
    return due.oldest_age is not None and occurrence + due.offset < now - due.oldest_age


def _caught_up(due: Due, latest: datetime, now: datetime, at_once: int) -> tuple[Skip | None, list[datetime]]:
    """What was missed, and which of it is run all the same: those that are left of the end, by the policy."""
    until = latest
    if due.catch_up == CatchUp.ALL:
        until = latest - due.within - _INSTANT if due.within else due.occurrence - _INSTANT
    else:
        last = _last(due, latest)
        until = latest if _is_too_old(due, last, now) else last - _INSTANT
    missed = _missed(due, until)
    wanted = _from(due, missed.last if missed else due.occurrence - _INSTANT, latest)
    return missed, list(islice(wanted, at_once))


def _last(due: Due, latest: datetime) -> datetime:
    later = due.schedule.missed(due.occurrence, latest)
    return later.last if later else due.occurrence


def _missed(due: Due, until: datetime) -> Skip | None:
    """The first occurrence and those after it, until then."""
    if due.occurrence > until:
        return None
    later = due.schedule.missed(due.occurrence, until)
    last, count = (later.last, 1 + later.count) if later else (due.occurrence, 1)
    return Skip(SkipReason.MISSED, due.occurrence, last, count)


def _from(due: Due, after: datetime, latest: datetime) -> Iterator[datetime]:
    moment: datetime | None = due.occurrence
    if due.occurrence <= after:
        moment = due.schedule.next_after(after)
    while moment is not None and moment <= latest:
        yield moment
        moment = due.schedule.next_after(moment)


def _overlapping(due: Due, wanted: list[datetime], active: Active) -> tuple[list[Occurrence], list[Skip], bool]:
    """Which of them are run at once, which wait for the run before, which are not run; whether what runs is aborted."""
    runs: list[Occurrence] = []
    skipped: list[datetime] = []
    cancels = False
    for at in wanted:
        if _is_last(due, runs):
            break
        is_beside = active.any or bool(runs)
        has_waiting = active.held or any(run.held for run in runs)
        match due.overlap if is_beside else Overlap.ALLOW:
            case Overlap.ALLOW:
                runs.append(Occurrence(at, at + due.offset))
            case Overlap.QUEUE_ALL:
                runs.append(Occurrence(at, at + due.offset, held=True))
            case Overlap.QUEUE_ONE if not has_waiting:
                runs.append(Occurrence(at, at + due.offset, held=True))
            case Overlap.CANCEL_RUNNING if not runs:
                cancels = True
                runs.append(Occurrence(at, at + due.offset, held=active.asked))
            case _:
                skipped.append(at)
    skips = [Skip(SkipReason.OVERLAP, skipped[0], skipped[-1], len(skipped))] if skipped else []
    return runs, skips, cancels
