"""What the page of anything that runs tells of it: what waits and runs, what comes next, and how its runs ended."""

from datetime import datetime, tzinfo
from functools import cached_property
from typing import Any

from django.conf import settings

from badgerjobs.runs import recent
from badgerjobs.runs.models import FINAL, Run, Runnable
from badgerjobs.runs.policy_words import policies_in_words, runs_made
from badgerjobs.runs.previews import Preview
from badgerjobs.runs.querysets import RunQuerySet
from badgerjobs.runs.saying import next_runs, retries_in_words
from badgerjobs.runs.schedules import place_of, runs_left, second_zone
from badgerjobs.workspaces.models import Application

# So many waiting and running runs are listed; their number is told.
WAITING = 50


class OwnerPage:
    """Everything is looked up when it is shown, and once: a part of the page asks for nothing but its own.

    `row` is what the list says of it.
    """

    row: Any

    def __init__(self, runnable: Runnable, application: Application, now: datetime) -> None:
        self.runnable, self.application, self.now = runnable, application, now
        self.zone = place_of(runnable)

    @property
    def second(self) -> tzinfo | None:
        return second_zone(self.zone)

    @property
    def kept_days(self) -> int:
        """How long results are kept."""
        return self.application.retention_days or settings.RETENTION_DAYS

    @property
    def mark(self) -> str:
        """Changes whenever the page has something else to say."""
        ended = self.row.ended
        moving = "".join(f" {run.number}:{run.state}:{run.held:d}:{run.attempts}" for run in self.waiting)
        paused = f"{self.runnable.paused_until} {self.runnable.breaker}"
        last = f"{ended.id} {ended.ended_at}" if ended else ""
        return f"{last} {self.runnable.enabled} {self.runnable.next_run_at} {paused}{moving}"

    @cached_property
    def waiting(self) -> list[Run]:
        """What waits or runs, oldest first: so many, and no more."""
        return self._unfinished[:WAITING]

    @property
    def is_waiting_cut(self) -> bool:
        """Whether more waits than is listed."""
        return len(self._unfinished) > WAITING

    @cached_property
    def _unfinished(self) -> list[Run]:
        return list(self.runs.unfinished().order_by("id")[: WAITING + 1])

    @cached_property
    def next(self) -> Preview:
        return next_runs(self.runnable, self.now)

    @cached_property
    def counts(self) -> tuple[dict[str, int], datetime | None]:
        return recent.counts(self.runnable.pk)

    @property
    def ended_counts(self) -> dict[str, int]:
        """State → how many ended so, of those counted."""
        return {state.value: self.counts[0][state] for state in FINAL if self.counts[0].get(state)}

    @property
    def counted_since(self) -> datetime | None:
        return self.counts[1]

    @property
    def is_counted_in_part(self) -> bool:
        return sum(self.counts[0].values()) >= recent.COUNTED

    @property
    def retries(self) -> str:
        return retries_in_words(self.runnable.policy)

    @property
    def policies(self) -> list[tuple[str, str]]:
        """Name and sentence of those that are not as usual."""
        return list(policies_in_words(self.runnable, self.zone))

    @property
    def made_all(self) -> str:
        """`100 of 100 runs made`, where that is why nothing more is planned."""
        return runs_made(self.runnable) if runs_left(self.runnable) == 0 else ""

    @property
    def poll_s(self) -> int:
        """How often the page looks again, in seconds. Where nothing is planned, others may still run or change it."""
        return 2 if self.waiting else 5 if self.runnable.next_run_at or self.runnable.paused_until else 10

    @property
    def runs(self) -> RunQuerySet:
        """Its runs, of any state."""
        runs: RunQuerySet = Run.objects.for_application(self.application).of(self.runnable.pk)
        return runs
