"""What the page of a task tells: which keys it means and what stands under them, its plans, and its runs."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import F
from django.db.models.functions import Left

from badgerjobs.runs.models import FINAL, Run, State
from badgerjobs.runs.owner_page import OwnerPage
from badgerjobs.runs.pauses import Pause, pause_of
from badgerjobs.runs.querysets import RunQuerySet
from badgerjobs.web.cursors import Page, page_of
from tasks.counts import Counts, counts_of
from tasks.hooks import hook_verb
from tasks.models import Selection, Task
from tasks.selection import matching
from tasks.showing import Row, asks_for_body, rows_of
from tasks.variable_fields import VariableField, fields_for
from tasks.webhook_variables import filled_pattern, names_in

_SWITCHES = ("task.pause", "task.update", "task.create")
# So much of each value is shown, in characters; and so many keys, and runs, on a page.
BEGINNING = 160
KEYS, RUNS = 25, 10


class RunRow(NamedTuple):
    """A run, and how many of its keys were synced; None while nothing is known of them."""

    run: Run
    counts: Counts | None

    @property
    def result(self) -> str:
        """Its state; or that only some of its keys failed."""
        is_partly = self.run.state == State.FAILED and self.counts and self.counts.is_partly_failed
        return "partly failed" if is_partly else self.run.state

    @property
    def said(self) -> str:
        """`997 of 1,000 keys, 3 failed`; or what was wrong with all of it."""
        if self.counts and (self.counts.keys or not self.run.error):
            return self.counts.words
        return self.run.error

    @property
    def may_retry(self) -> int:
        """How many keys of it failed, when it is over: those that still wait have failed with it."""
        return self.counts.failed + self.counts.waiting if self.counts and self.run.state in FINAL else 0


def run_rows(application: Any, runs: Iterable[Run]) -> list[RunRow]:
    """These runs with their counts: one query for those that are not over."""
    runs = list(runs)
    counts = counts_of(application, runs)
    return [RunRow(run, counts.get(run.pk)) for run in runs]


class TaskPage(OwnerPage):
    """See `OwnerPage`. `values` fill the placeholders of its pattern, where it has some."""

    def __init__(self, task: Task, now: datetime, values: Mapping[str, str] | None = None) -> None:
        super().__init__(task.runnable, task.application, now)
        self.task, self.values = task, values or {}

    @cached_property
    def row(self) -> Row:
        """What the list says of it."""
        return rows_of([self.task], self.now)[0]

    @property
    def state(self) -> str:
        return "running" if any(run.state == State.RUNNING for run in self.waiting) else self.row.state

    @property
    def runs(self) -> RunQuerySet:
        """Its runs, of any state, without what webhooks brought: that may be long."""
        return super().runs.defer("input")

    @cached_property
    def starters(self) -> Any:
        """The hooks that run it besides its own: name and address of each."""
        return hook_verb("starters")(self.application, "sync", self.task.tag)

    @property
    def asks_for_body(self) -> bool:
        return asks_for_body(self.task)

    @cached_property
    def pause(self) -> Pause | None:
        """Why it is paused, if it is."""
        return pause_of(self.runnable, self.application, self.task.tag, _SWITCHES)

    @property
    def variables(self) -> list[VariableField]:
        """What a webhook fills in its pattern, each with the value that is asked for here."""
        if self.task.selection == Selection.EXACT:
            return []
        return fields_for(names_in(self.task.pattern), self.values)

    @cached_property
    def pattern(self) -> str:
        """The pattern as it is matched; empty as long as a value is missing."""
        given = {one.name: one.value for one in self.variables if one.value}
        try:
            return filled_pattern(self.task.pattern, given, self.task.selection)
        except ValueError:
            return ""

    @property
    def is_unfilled(self) -> bool:
        """Whether which keys it means is known only when its webhook says so."""
        return bool(self.variables) and not self.pattern

    @cached_property
    def matched(self) -> Any:
        """The keys that it would sync now, by name."""
        if self.task.selection == Selection.EXACT:
            return self.task.keys.for_application(self.application)
        if self.is_unfilled:
            return self.task.keys.none()
        return matching(self.application, self.task.selection, self.pattern)

    @property
    def query(self) -> str:
        """The values in the address, with `&` behind; empty where there are none."""
        return "".join(f"{urlencode({one.field: one.value})}&" for one in self.variables if one.value)

    @cached_property
    def total(self) -> int:
        if self.task.selection == Selection.EXACT:
            return self.row.named
        return int(self.matched.order_by().count())

    def keys(self, cursor: str) -> Page[Any]:
        """A page of them, each with the `beginning` of its value, which is None where it was never filled."""
        found = self.matched.select_related("value", "source").only(
            "name", "source__name", "source__tag", "source__application_id", "value__bytes", "value__fetched_at",
            "value__tried_at", "value__error",
        )  # fmt: skip
        found = found.annotate(beginning=Left(F("value__body"), BEGINNING + 1))
        return page_of(found, order="name", cursor=cursor, size=KEYS)

    def run_page(self, cursor: str) -> Page[Any]:
        """A page of its runs, newest first, with how that went."""
        page = page_of(self.runs, order="-pk", cursor=cursor, size=RUNS)
        rows: list[Any] = run_rows(self.application, page.rows)
        return Page(rows, page.before, page.earlier, page.later)
