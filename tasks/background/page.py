"""What the page of a background task shows: how far it is, what it was given and gave, its children, and its log."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import Any
from uuid import UUID
from zlib import crc32

from badgerjobs.lib import words
from badgerjobs.runs.measures import took_ms
from badgerjobs.runs.models import FINAL, LogLine, Run, State
from badgerjobs.web.cursors import Page, page_of
from badgerjobs.web.definitions import json_text
from badgerjobs.web.typed import uuid_of
from badgerjobs.workspaces.models import Application
from tasks.background.definitions import definition_of
from tasks.background.rows import Row, rows_of
from tasks.models import BackgroundRun
from tasks.querysets import BackgroundRunQuerySet

# So many lines of a log, and so many children, are shown at once.
LINES, CHILDREN = 100, 20
# An input or an output is shown up to here, in characters.
LONGEST_SHOWN = 256 * 1024


@dataclass(frozen=True, slots=True)
class Iteration:
    """What was said in an iteration, the newest first. `has_attempts`: in several tries, so that each is named."""

    number: int
    lines: list[LogLine]
    has_attempts: bool


@dataclass(frozen=True, slots=True)
class Given:
    """JSON as it is shown; `is_cut` says that there is more of it."""

    text: str
    is_cut: bool


class BackgroundPage:
    """A background task of this application, its run loaded whole. `cursor`: where in its log one reads."""

    def __init__(self, application: Application, background: BackgroundRun, *, cursor: str, now: datetime) -> None:
        self.background, self.run, self.now = background, background.run, now
        self._application, self._cursor = application, cursor

    @cached_property
    def row(self) -> Row:
        """What the list says of it."""
        return Row(self.background, self.run, definition_of(self.background.definition))

    @property
    def is_over(self) -> bool:
        return self.run.state in FINAL

    @property
    def stamp(self) -> str:
        """Another one whenever the story would be told otherwise."""
        run, its = self.run, self.background
        moved = f"{run.state}-{run.iteration}-{run.attempts}-{run.due_at.timestamp()}-{its.is_parked:d}"
        children = "".join(row.status[0] for row in self.children)
        return f"{moved}-{its.progress}-{hash_of(its.progress_message)}-{children}"

    @property
    def is_live(self) -> bool:
        """Whether the page looks again: until it, and what it triggered, is over."""
        return not self.is_over or any(not row.is_over for row in self.children)

    @property
    def verdict(self) -> tuple[str, str]:
        """Where it stands in a sentence, and what comes behind that: `due`, the moment that it waits for, or not."""
        run = self.run
        match run.state:
            case State.SUCCEEDED:
                return f"Done after {self._iterations}{self._took}.", ""
            case State.FAILED:
                return run.error or "It failed.", ""
            case State.ABORTED:
                return run.error or "Somebody stopped it.", ""
            case State.RETRYING:
                return f"Iteration {run.iteration} did not succeed. It is tried again", "due"
            case State.RUNNING:
                return f"Iteration {run.iteration} is under way.", ""
        return self._waiting()

    def _waiting(self) -> tuple[str, str]:
        if self.background.is_parked:
            return "It waits until another run of this definition is over: no more of them may run at once.", ""
        what = f"Iteration {self.run.iteration}" if self.run.started_at else "It"
        if self.run.state == State.SCHEDULED:
            return f"{what} begins", "due"
        return f"{what} is due, and waits for a free process.", ""

    @property
    def _iterations(self) -> str:
        return words.counted(self.background.iterations, "iteration")

    @property
    def _took(self) -> str:
        took = took_ms(self.run)
        return f" in {words.duration(took)}" if took is not None else ""

    @property
    def tone(self) -> str:
        """The class of what stands around the verdict: a person is wanted, nobody is, or it goes on."""
        if self.run.state == State.FAILED:
            return "notice bad"
        return "verdict" if self.is_over else "notice"

    @property
    def by(self) -> str:
        """Who triggered it, by name; empty where nobody knows."""
        who = self.background.created_by
        return str(who.get("displayName") or who.get("id") or "")

    @cached_property
    def by_run(self) -> UUID | None:
        """The run of a job or of a webhook that triggered it, while that is kept."""
        who = self.background.created_by
        its = uuid_of(str(who.get("id", ""))) if who.get("type") == "run" else None
        is_there = its and Run.objects.for_application(self._application).filter(pk=its).exists()
        return its if is_there else None

    @property
    def given(self) -> Given:
        """The input that it was triggered with."""
        return shown(self.background.given)

    @property
    def is_input_changed(self) -> bool:
        """Whether an iteration changed it since."""
        return self.run.input is not None and self.run.input != self.background.given

    @property
    def input(self) -> Given:
        """The input as the iterations so far have left it."""
        return shown(self.run.input)

    @property
    def output(self) -> Given | None:
        """What it gave so far; None for nothing."""
        return None if self.run.output in (None, {}) else shown(self.run.output)

    @cached_property
    def parent(self) -> Row | None:
        """The one that triggered it, where that is kept."""
        its = self._others.filter(pk=self.background.parent_id)
        return next(iter(rows_of(its)), None) if self.background.parent_id else None

    @cached_property
    def children(self) -> list[Row]:
        """Those that it triggered, the newest first."""
        return rows_of(self._others.filter(parent_id=self.background.pk).order_by("-pk")[:CHILDREN])

    @property
    def _others(self) -> BackgroundRunQuerySet:
        return BackgroundRun.objects.for_application(self._application).brief()

    @property
    def are_children_cut(self) -> bool:
        return len(self.children) == CHILDREN

    @cached_property
    def lines(self) -> Page[LogLine]:
        """A page of its log, the newest first."""
        its = LogLine.objects.for_application(self._application).filter(run=self.run)
        return page_of(its, order="-pk", cursor=self._cursor, size=LINES)

    @property
    def log_stamp(self) -> str:
        """Another one whenever the log has more to say; of a page of what was before, always the same."""
        newest = self.lines.rows[0].pk if self.lines.rows else ""
        return f"{newest}-{self.is_over:d}"

    def log(self) -> Iterator[Iteration]:
        """The same by iterations."""
        for number, lines in groupby(self.lines.rows, key=lambda line: line.iteration):
            its = list(lines)
            yield Iteration(number, its, len({(line.attempt, line.rescues) for line in its if line.attempt}) > 1)


def shown(value: Any) -> Given:
    """A value laid out, as much of it as is shown."""
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > LONGEST_SHOWN:
        return Given(json_text.beginning(value, LONGEST_SHOWN), is_cut=True)
    return Given(text, is_cut=False)


def hash_of(text: str) -> str:
    """A few letters that differ where texts do."""
    return f"{crc32(text.encode()):08x}"
