"""Trying a slurper out while somebody waits, over rows that are given or the first that its sources have now.

Nothing is stored, and nothing is remembered.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from badgerjobs.lib.storable import ROW_BYTES, cleaned
from badgerjobs.sources.means import Means, open_means
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.rows.pulling import Given, PullError, pull
from badgerjobs.sources.rows.pulls import Pull
from badgerjobs.web.limits import count
from badgerjobs.web.trials import LONGEST_S, PER_MINUTE, PLACES, TooManyTrialsError
from badgerjobs.workspaces import audit
from slurps.models import AsyncJob, Language, Slurper
from slurps.slurping.apart import in_a_process
from slurps.slurping.languages import LANGUAGES
from slurps.slurping.plan import Batch, Plan, SlurpError

# So many rows are taken of each source, and so many are shown of what becomes of them.
MOST_ROWS = 100
# What is shown of either, as JSON.
SHOWN_BYTES = 1_000_000

LATE = (
    f"It took longer than {LONGEST_S} s, which is as long as anybody waits here: try it over rows that you give, or "
    "over fewer of them."
)
TOO_OFTEN = f"An application tries slurpers {PER_MINUTE} times a minute at most: try again soon."
TOO_LONG = "Row {:,} has {:,} bytes as JSON, and at most {:,} can be stored: a run that meets it stores nothing."
NOT_FLAT = "Row {:,} is no object with names and values: a run that meets it stores nothing."


@dataclass(slots=True)
class Trial:
    """What came of it. `before`: the tag of a source → its rows; `after`: what was made of them, `made` in number.

    Each is cut where it is long. `console` has levels and texts. `source` is whose fault an error is, if one's.
    """

    before: dict[str, list[Any]] = field(default_factory=dict)
    after: list[Any] = field(default_factory=list)
    made: int = 0
    console: list[tuple[str, str]] = field(default_factory=list)
    error_class: str = ""
    error: str = ""
    source: str = ""
    duration_ms: int = 0


def try_slurper(  # noqa: PLR0913  rows, or what their sources are given
    *,
    slurper: Slurper,
    sources: Sequence[DataSource],
    by: audit.Actor,
    now: datetime,
    rows: Mapping[str, list[Any]] | None = None,
    values: Mapping[str, Any] | None = None,
) -> Trial:
    """Run its code over these rows, by the tags of its sources; None: over the first that each has now.

    The slurper may be stored or not, and is not changed; `values` are for the placeholders of its sources. It takes
    `LONGEST_S` seconds at most. Raises TooManyTrialsError.
    """
    application = slurper.application
    if count(f"test-slurpers:{application.pk}", window_s=60) > PER_MINUTE:
        raise TooManyTrialsError(TOO_OFTEN)
    with PLACES.one(application.pk):
        if rows is None:
            audit.record(by=by, action="slurper.test", subject=slurper.tag or "new", now=now, application=application)
        return asyncio.run(_Trying(slurper, sources, now, rows, values or {}).tried())


class _Trying:
    def __init__(
        self,
        slurper: Slurper,
        sources: Sequence[DataSource],
        now: datetime,
        rows: Mapping[str, list[Any]] | None,
        values: Mapping[str, Any],
    ) -> None:
        self.trial = Trial()
        self._sources, self._rows, self._values, self._now = sources, rows, values, now
        job = AsyncJob(application=slurper.application, slurper=slurper, tag="trial", name="trial")
        self._plan = Plan(job, slurper, sources, None, uuid4(), None, 1, now, self._say)

    async def tried(self) -> Trial:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(LONGEST_S):
                await self._run()
        except TimeoutError:
            self._fail("timeout", LATE)
        except PullError as error:
            self._fail(error.error_class, error.sentence)
        except SlurpError as error:
            self._fail(error.error_class, error.message)
        self.trial.duration_ms = round((time.perf_counter() - began) * 1000)
        return self.trial

    async def _run(self) -> None:
        language = self._plan.slurper.language
        turn = in_a_process if language == Language.PYTHON else LANGUAGES[language]
        turned = turn(self._plan, self._batches())
        async with aclosing(turned) as batches:  # type: ignore[type-var]  # generators, all of them
            async for batch in batches:
                self._take(batch.rows)

    def _take(self, rows: Sequence[Any]) -> None:
        for row in rows:
            self.trial.made += 1
            if self.trial.error_class:
                continue
            if not isinstance(row, dict):
                self._fail("rows", NOT_FLAT.format(self.trial.made))
            elif (
                length := len(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))
            ) > ROW_BYTES:
                self._fail("rows", TOO_LONG.format(self.trial.made, length, ROW_BYTES))
        room = MOST_ROWS - len(self.trial.after)
        self.trial.after += cleaned(list(rows[:room]))

    async def _batches(self) -> AsyncIterator[Batch]:
        """The rows of each source as one batch."""
        if self._rows is not None:
            for source in self._sources:
                yield self._came(source.tag, self._rows.get(source.tag, []))
            return
        async with open_means() as means:
            for source in self._sources:
                yield self._came(source.tag, await self._first_of(source, means))

    def _came(self, tag: str, rows: list[Any]) -> Batch:
        self.trial.before[tag] = rows
        return Batch(rows, tag, len(rows))

    async def _first_of(self, source: DataSource, means: Means) -> list[Any]:
        self.trial.source = source.tag
        rows: list[Any] = []
        pulling = pull(source, Given(self._now, self._values, None), means)
        if isinstance(pulling, Pull):
            pulling.enough = MOST_ROWS
        try:
            async with aclosing(pulling.batches()) as batches:
                async for batch in batches:
                    rows += batch[: MOST_ROWS - len(rows)]
                    if len(rows) == MOST_ROWS:
                        break
        finally:
            await pulling.settle(kept=False)
        self.trial.source = ""
        return cleaned(rows)  # type: ignore[no-any-return]  # a list, as it was

    def _say(self, _level: str, message: str, data: Any) -> None:
        self.trial.console.append(((data or {}).get("console", "info"), message))

    def _fail(self, error_class: str, sentence: str) -> None:
        self.trial.error_class, self.trial.error = error_class, sentence


def told(trial: Trial) -> dict[str, Any]:
    """As REST shows it."""
    error = {"class": trial.error_class, "message": trial.error}
    before = {tag: _short(rows) for tag, rows in trial.before.items()}
    after = _short(trial.after)
    is_cut = len(after) < trial.made or any(len(before[tag]) < len(rows) for tag, rows in trial.before.items())
    return {
        "ok": not trial.error_class,
        "before": before,
        "after": after,
        "made": trial.made,
        "cut": is_cut,
        "error": error if trial.error_class else None,
        "failed_source": trial.source or None,
        "console": [{"level": level, "text": text} for level, text in trial.console],
        "duration": trial.duration_ms,
    }


def _short(rows: Sequence[Any]) -> list[Any]:
    """As many of the first of them as fit into SHOWN_BYTES."""
    shown: list[Any] = []
    size = 0
    for row in rows:
        size += len(json.dumps(row))
        if size > SHOWN_BYTES:
            break
        shown.append(row)
    return shown
