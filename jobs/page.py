"""What the page of a job tells: its plans, what waits and runs of it, and how its runs ended."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from statistics import median
from typing import Any, ClassVar, NamedTuple

from django.db.models import Case, OuterRef, Subquery, Value, When
from django.db.models.functions import Coalesce, JSONObject

from badgerjobs.lib import vault
from badgerjobs.runs import recent, skipped
from badgerjobs.runs.models import FINAL, Attempt, Run, SkipReason, State
from badgerjobs.runs.owner_page import OwnerPage
from badgerjobs.runs.pauses import Pause
from badgerjobs.runs.shown import Body, shown_as
from badgerjobs.web.cursors import Page
from jobs.events.exchange import input_of
from jobs.exchange import backfill_of_missed, body_of, curl_of, needs_file
from jobs.models import EVENT_KIND, Job
from jobs.pauses import pause_of
from jobs.showing import Row, failures_in_words, rows_of
from jobs.standing import is_cancelled
from tasks.hooks import hook_verb

# What was missed is told of for so long, and so many occurrences are named before they are run.
LATELY = timedelta(days=7)
NAMED = 5
# So many outages are looked at.
OUTAGES = 100


class Missed(NamedTuple):
    """The row of what was missed, and the run that was made instead."""

    row: Run
    instead: Run | None


class AllMissed(NamedTuple):
    """The newest of what was missed lately, and what all of it is: so many occurrences in so many outages.

    So many of them have been run since; `backfill` is the address at which the others are run all the same.
    """

    shown: Sequence[Missed]
    outages: int
    occurrences: int
    run_since: int
    backfill: str


class Result(NamedTuple):
    """A run that is over, and what came of it in a few words."""

    run: Run
    answer: str


class JobPage(OwnerPage):
    """Everything is looked up when it is shown, and once: a part of the page asks for nothing but its own."""

    FILTERS: ClassVar = ("failed", "aborted", "skipped")

    def __init__(self, job: Job, now: datetime) -> None:
        super().__init__(job.runnable, job.application, now)
        self.job = job

    @cached_property
    def row(self) -> Row:
        """What the list says of it."""
        return rows_of([self.job], self.now)[0]

    @cached_property
    def starters(self) -> Any:
        """The hooks that run it: name and address of each."""
        return hook_verb("starters")(self.application, "job", self.job.tag)

    @cached_property
    def last(self) -> Row:
        """The same with its last run: what was skipped is none."""
        row = self.row
        if not row.ended or row.ended.state != State.SKIPPED:
            return row
        ran = recent.last_ended([self.runnable.pk], states=[state for state in FINAL if state != State.SKIPPED])
        return replace(row, ended=ran.get(self.runnable.pk))

    @cached_property
    def state(self) -> str:
        return "running" if any(run.state == State.RUNNING for run in self.waiting) else self.row.state

    @property
    def is_cancelled(self) -> bool:
        return is_cancelled(self.job)

    @property
    def may_be_cancelled(self) -> bool:
        """Whether something of it goes on."""
        return not self.is_cancelled and bool(
            self.waiting or not self.runnable.enabled or self.runnable.next_run_at is not None
        )

    @property
    def has_failed(self) -> bool:
        """Whether one of the runs that are counted failed."""
        return bool(self.counts[0].get(State.FAILED))

    @property
    def mark(self) -> str:
        """The same, and when it is cancelled."""
        return f"{super().mark} {self.job.cancelled_at}"

    @property
    def usual_ms(self) -> float | None:
        """Half of the last runs that succeeded took less than this."""
        took = [bar.duration_ms or 0 for bar in self.row.strip if bar.state == State.SUCCEEDED]
        return median(took) if len(took) > 1 else None

    @property
    def failures(self) -> str:
        """Which answers fail; of an event that is its own affair."""
        return "" if self.job.event_id else failures_in_words(self.job)

    @property
    def headers(self) -> dict[str, str]:
        return vault.mask(self.job.headers)

    @property
    def body(self) -> Body:
        return body_of(self.job)

    @property
    def input(self) -> Body:
        """What the event is given, as far as it is shown."""
        return input_of(self.job)

    @property
    def curl(self) -> str:
        return curl_of(self.job)

    @property
    def needs_file(self) -> bool:
        """Whether that command reads the body from a file."""
        return needs_file(self.job)

    def results(self, page: Page[Run]) -> Page[Any]:
        """The page with what came of each of its runs, which `ended` has found."""
        rows = [Result(run, self._said(run)) for run in page.rows]
        return Page(rows, page.before, page.earlier, page.later)

    def _said(self, run: Run) -> str:
        return skipped.line(run, self.zone) if run.state == State.SKIPPED else _answer(run) or _why(run)

    @cached_property
    def pause(self) -> Pause | None:
        """Why it is paused, if it is."""
        return pause_of(self.job)

    @cached_property
    def missed(self) -> AllMissed | None:
        """What was missed lately, outage by outage, as far as it has not all been run since."""
        lately = self.runs.filter(state=State.SKIPPED, skip_reason=SkipReason.MISSED, finished_at__gt=self.now - LATELY)
        found: Any = lately.annotate(ran=Coalesce(Subquery(skipped.runs_since()), 0)).order_by("-id")[:OUTAGES]
        rows: list[Any] = [row for row in found if row.ran < (row.skipped_count or 0)]
        if not rows:
            return None
        for row in rows:
            row.application, row.runnable = self.job.application, self.runnable
        shown = [Missed(row, self._instead_of(row)) for row in rows[:NAMED]]
        count, ran = sum(row.skipped_count for row in rows), sum(row.ran for row in rows)
        return AllMissed(shown, len(rows), count, ran, backfill_of_missed(rows))

    def _instead_of(self, row: Any) -> Run | None:
        """What was dispatched by the same tick."""
        after = self.runs.filter(occurrence__gt=row.skipped_until, created_at=row.finished_at)
        return after.exclude(state=State.SKIPPED).order_by("occurrence").first()


def ended(runs: Any, state: str) -> Any:
    """Of these runs those that are over, or those that ended so; `last` is what its last attempt got.

    Of each result only what says it in a few words is read: bodies and rows are long.
    """
    found = runs.filter(state=state) if state in JobPage.FILTERS else runs.filter(state__in=FINAL)
    last = Attempt.objects.filter(run_id=OuterRef("pk"), number=OuterRef("attempts"))
    told = JSONObject(
        status="result__status",
        rows_returned="result__rows_returned",
        rows_affected="result__rows_affected",
        accepted="result__accepted",
        message_id="result__message_id",
        value=Case(When(result__has_key="value", then=Value("returned"))),
        error_class="error_class",
        error="error",
    )
    return found.annotate(last=Subquery(last.order_by().values(told=told)[:1]))


def _answer(run: Any) -> str:
    if run.last is None or run.state == State.ABORTED:  # what was tried before is not why it ended
        return ""
    last = {name: told for name, told in run.last.items() if told is not None}
    if run.kind == EVENT_KIND and last["error_class"] not in {"", "status"}:
        return str(last["error"]).removesuffix(".")  # of an event the sentence says more than the word
    return shown_as(run.kind).answer(last, last["error_class"]) or str(last["error"])


def _why(run: Run) -> str:
    return run.error.removesuffix(".")
