"""What the page of a job tells: its plans, what waits and runs of it, and how its runs ended."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from statistics import median
from typing import Any, ClassVar, NamedTuple

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce, JSONObject

from badgerjobs.lib import vault, words
from badgerjobs.runs import recent, skipped
from badgerjobs.runs.models import FINAL, Attempt, Run, SkipReason, State
from badgerjobs.runs.policy_words import beside_backfill, policies_in_words, runs_made
from badgerjobs.runs.previews import Preview
from badgerjobs.runs.querysets import RunQuerySet
from badgerjobs.runs.schedules import place_of, runs_left, second_zone
from badgerjobs.runs.shown import Body
from badgerjobs.web.cursors import Page
from jobs.answers import answer_in_words
from jobs.exchange import backfill_of_missed, body_of, curl_of, needs_file
from jobs.models import Job
from jobs.pauses import Pause, pause_of
from jobs.showing import Row, failures_in_words, next_runs, retries_in_words, rows_of

# So many waiting and running runs are listed; their number is told.
WAITING = 50


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


class JobPage:
    """Everything is looked up when it is shown, and once: a part of the page asks for nothing but its own."""

    FILTERS: ClassVar = ("failed", "aborted", "skipped")

    def __init__(self, job: Job, now: datetime) -> None:
        self.job, self.now = job, now
        self.runnable = job.runnable
        self.zone = place_of(job.runnable)

    @property
    def second(self) -> tzinfo | None:
        return second_zone(self.zone)

    @property
    def kept_days(self) -> int:
        """How long results are kept."""
        return self.job.application.retention_days or settings.RETENTION_DAYS

    @cached_property
    def row(self) -> Row:
        """What the list says of it."""
        return rows_of([self.job], self.now)[0]

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
        runs = Run.objects.for_application(self.job.application).of(self.runnable.pk).unfinished()
        return list(runs.order_by("id")[: WAITING + 1])

    @property
    def mark(self) -> str:
        """Changes whenever the page has something else to say."""
        ended = self.row.ended
        moving = "".join(f" {run.number}:{run.state}:{run.held:d}:{run.attempts}" for run in self.waiting)
        paused = f"{self.runnable.paused_until} {self.runnable.breaker}"
        last = f"{ended.id} {ended.ended_at}" if ended else ""
        return f"{last} {self.runnable.enabled} {self.runnable.next_run_at} {paused}{moving}"

    @property
    def poll_s(self) -> int:
        """How often the page looks again, in seconds. Where nothing is planned, others may still run or change it."""
        return 2 if self.waiting else 5 if self.runnable.next_run_at or self.runnable.paused_until else 10

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
    def usual_ms(self) -> float | None:
        """Half of the last runs that succeeded took less than this."""
        took = [bar.duration_ms or 0 for bar in self.row.strip if bar.state == State.SUCCEEDED]
        return median(took) if len(took) > 1 else None

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
    def failures(self) -> str:
        return failures_in_words(self.job)

    @property
    def headers(self) -> dict[str, str]:
        return vault.mask(self.job.headers)

    @property
    def body(self) -> Body:
        return body_of(self.job)

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
        lately = self._runs.filter(
            state=State.SKIPPED, skip_reason=SkipReason.MISSED, finished_at__gt=self.now - LATELY
        )
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
        after = self._runs.filter(occurrence__gt=row.skipped_until, created_at=row.finished_at)
        return after.exclude(state=State.SKIPPED).order_by("occurrence").first()

    @property
    def _runs(self) -> RunQuerySet:
        runs: RunQuerySet = Run.objects.for_application(self.job.application).of(self.runnable.pk)
        return runs

    def question_before_backfilling(self) -> dict[str, Any]:
        """What `pages.ask` is to show first: which time is meant."""
        return {
            "title": f"Run past occurrences of {self.job.name}?",
            "text": "Those in this time that have no run: they were missed, skipped, or came before it was made. "
            "How many they are is said before anything is done.",
            "confirm": "Count them",
            "keep": "Leave them",
        }

    def question_about(self, occurrences: Sequence[datetime], per_minute: int | None) -> dict[str, Any]:
        """What `pages.ask` is to show then: how many they are, and how they go."""
        count, place = len(occurrences), words.place(self.zone)
        text = beside_backfill(self.runnable, count)
        if per_minute and count > 1:
            rest = words.duration((count - 1) * 60_000 / per_minute)
            text += f" At most {per_minute:,} begin in a minute: the last in {rest}, if none is held up."
        items = [f"{words.day(at, self.zone)} {words.clock(at, self.zone)} {place}" for at in occurrences[:NAMED]]
        if count > NAMED:
            items.append(f"and {count - NAMED:,} more")
        what = _plural(count, "occurrence")
        return {"title": f"Run {what}?", "text": text, "items": items, "confirm": f"Run {what}", "keep": "Leave them"}

    def question_before_pausing(self) -> dict[str, Any]:
        """What `pages.ask` is to show."""
        waits = len([run for run in self.waiting if run.state != State.RUNNING])
        text = (
            "Nothing is planned while it is paused. What runs goes on; what waits is aborted, also what somebody ran by"
        )
        text += " hand, replayed or backfilled"
        text += f": {'at least ' if self.is_waiting_cut else ''}{_plural(waits, 'run')} now." if waits else "."
        return {"title": f"Pause {self.job.name}?", "text": text, "confirm": "Pause the job", "keep": "Keep it running"}

    def question_before_deleting(self) -> dict[str, Any]:
        """What `pages.ask` is to show."""
        ended = sum(self.ended_counts.values())
        results = f"more than {ended:,} results" if self.is_counted_in_part else _plural(ended, "result")
        waits = _plural(len(self.waiting), "waiting or running run")
        waits = f"At least {waits}" if self.is_waiting_cut else waits
        verb = "is" if len(self.waiting) == 1 else "are"
        text = f"{waits} {verb} aborted, and {results} " if self.waiting else f"{results[:1].upper()}{results[1:]} "
        return {
            "title": f"Delete {self.job.name}?",
            "text": f"{text}{'goes' if ended == 1 else 'go'} with it. There is no way back.",
            "confirm": "Delete the job",
            "keep": "Keep it",
            "danger": True,
        }


def ended(runs: Any, state: str) -> Any:
    """Of these runs those that are over, or those that ended so; `last` is what its last attempt got.

    Of each result only the status is read: bodies are long.
    """
    found = runs.filter(state=state) if state in JobPage.FILTERS else runs.filter(state__in=FINAL)
    last = Attempt.objects.filter(run_id=OuterRef("pk"), number=OuterRef("attempts"))
    told = JSONObject(status="result__status", error_class="error_class", error="error")
    return found.annotate(last=Subquery(last.order_by().values(told=told)[:1]))


def _answer(run: Any) -> str:
    if run.last is None or run.state == State.ABORTED:  # what was tried before is not why it ended
        return ""
    last = run.last
    return answer_in_words(last["status"], last["error_class"]) or last["error"]


def _why(run: Run) -> str:
    return run.error.removesuffix(".")


def _plural(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")
