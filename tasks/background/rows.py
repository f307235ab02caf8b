"""What lists and pages say of a run of a background task: its row, its run, and its definition where that is there."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from badgerjobs.runs.models import FINAL, Run
from badgerjobs.workspaces.models import Application
from tasks.background.definitions import Definition, definition_of, definitions
from tasks.background.standing import FAILED, MARKS, status_of
from tasks.models import BackgroundRun


@dataclass(frozen=True, slots=True)
class Row:
    """`definition` is None where no package of this installation has it any more."""

    background: BackgroundRun
    run: Run
    definition: Definition | None

    @property
    def status(self) -> str:
        return status_of(self.run)

    @property
    def mark(self) -> str:
        """The classes of its mark: what failed is coloured as a word, too."""
        return f"{MARKS[self.status]}{' word' if self.status == FAILED else ''}"

    @property
    def is_over(self) -> bool:
        return self.run.state in FINAL

    @property
    def title(self) -> str:
        """What its definition is called; the id where that is gone."""
        return self.definition.title if self.definition else self.background.definition

    @property
    def percent(self) -> int | None:
        """How far it says that it is, of a hundred; None where it says nothing."""
        return percent_of(self.background.progress)

    @property
    def may_be_triggered(self) -> bool:
        """Whether people may trigger it once more: private ones only code may."""
        return self.definition is not None and not self.definition.is_private


def percent_of(progress: float | None) -> int | None:
    """A fraction in whole parts of a hundred, rounded down; None for None."""
    return None if progress is None else int(100 * min(1.0, max(0.0, progress)) + 1e-6)


def rows_of(found: Iterable[BackgroundRun]) -> list[Row]:
    """These, whose runs are loaded, with their definitions."""
    return [Row(one, one.run, definition_of(one.definition)) for one in found]


# From one definition to the next by the index: there are few of them, and may be very many rows.
_RUN_HERE = """
WITH RECURSIVE run_here(definition) AS (
    SELECT min(definition) FROM tasks_backgroundrun WHERE application_id = %(application)s
    UNION ALL
    SELECT (SELECT min(b.definition) FROM tasks_backgroundrun b
            WHERE b.application_id = %(application)s AND b.definition > run_here.definition)
    FROM run_here WHERE run_here.definition IS NOT NULL
)
SELECT definition FROM run_here WHERE definition IS NOT NULL
"""


def definitions_to_choose(application: Application, chosen: str) -> list[tuple[str, str]]:
    """Ids and titles of all that are defined, public or private, that have runs here, or that somebody chose."""
    with connection.cursor() as cursor:
        cursor.execute(_RUN_HERE, {"application": application.pk})
        run_here = {name for (name,) in cursor.fetchall()}
    defined = {one.id: one.title for one in definitions()}
    others = {name: name for name in {*run_here, *filter(None, [chosen])} if name not in defined}
    return sorted({**defined, **others}.items())


def stamp_of(rows: Iterable[Row]) -> str:
    """What differs when a list has something else to say of them."""
    return str([_moved(row) for row in rows])


def _moved(row: Row) -> tuple[Any, ...]:
    return row.run.pk, row.status, row.run.started_at, row.run.finished_at, row.percent, row.background.iterations
