"""Trying a source, or a transform alone: called once while somebody waits. It is no sync, and nothing of it is kept."""

import asyncio
import copy
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from badgerjobs.lib import javascript
from badgerjobs.lib.javascript import Line
from badgerjobs.lib.storable import cleaned
from badgerjobs.lib.vault import mask
from badgerjobs.runs.outcomes import Later
from badgerjobs.sources.answers import text_of
from badgerjobs.sources.fetch import TRANSFORM_S, VALUE_BYTES, Attempt, attempt, headers_of, open_means
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.results import Fetched, Unfetched
from badgerjobs.sources.row_trials import KEEPS, RowsTried, gives_rows, rows_in, tried_rows
from badgerjobs.sources.services import configuration_of
from badgerjobs.sources.types import type_of
from badgerjobs.web.limits import count
from badgerjobs.web.trials import LONGEST_S, PER_MINUTE, PLACES, TooManyTrialsError
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application

BUSY = "There is no room for it at this moment: try again in some seconds."
LATE = f"It took longer than {LONGEST_S} s, which is as long as anybody waits here."
# Of an answer, so many characters are shown.
SHOWN = 64 * 1024


@dataclass(frozen=True, slots=True)
class Transformed:
    """What a transform made of an answer: `value` is JSON, None where there is an `error` (a word and a sentence)."""

    value: Any = None
    error_class: str = ""
    error: str = ""
    console: tuple[Line, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.error_class


@dataclass(frozen=True, slots=True)
class Trial(Transformed):
    """What came of trying a source: the same, and the answer.

    `status` and `bytes` are None where none came. `answer` is its text, or the beginning of it: then `is_cut`.
    `headers` are as they may be shown. `duration_ms` is all of it, with the transform. `rows` are the first ones, with
    their `columns` and what was `found` out of how they are written; None where there are none to show. Where rows are
    tried, no more of the answer is there than is shown. `warnings` say what a run may find wrong all the same.
    """

    status: int | None = None
    duration_ms: int = 0
    bytes: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    answer: str = ""
    is_cut: bool = False
    rows: list[Any] | None = None
    columns: Sequence[Mapping[str, Any]] = ()
    found: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()


def try_source(
    *,
    source: DataSource,
    configuration: Mapping[str, Any] | None,
    values: Mapping[str, Any],
    by: audit.Actor,
    now: datetime,
) -> Trial:
    """Fetch a source once, stored or not, as it would be with this configuration (None: with the stored one).

    It takes `LONGEST_S` seconds at most. The source itself stays as it is. Raises ValidationError for a wrong
    configuration, and TooManyTrialsError.
    """
    tried = copy.copy(source)
    given = configuration_of(source, configuration)
    tried.configuration = {**given, "timeout": min(given.get("timeout", LONGEST_S), LONGEST_S)}
    tried.variables = type_of(source.type).variables(given)
    _ensure_not_too_often(source.application_id)
    with PLACES.one(source.application_id):
        audit.record(
            by=by,
            action="source.test",
            subject=source.tag or source.type,
            now=now,
            application=source.application,
            changes={"type": [None, source.type]},
        )
        return asyncio.run(_tried(tried, values, now))


def try_transform(
    *,
    application: Application,
    code: str,
    response: Any,
    headers: Mapping[str, str] | None = None,
    variables: Mapping[str, Any] | None = None,
) -> Transformed:
    """What a transform would make of an answer. Nothing is called. Raises TooManyTrialsError."""
    _ensure_not_too_often(application.pk)
    with PLACES.one(application.pk):
        came = javascript.run(
            code,
            {"response": response, "headers": dict(headers or {}), "variables": dict(variables or {})},
            tenant=application.workspace_id,
            part=application.pk,
            timeout_s=TRANSFORM_S,
            output_bytes=VALUE_BYTES,
        )
    if came.error:
        busy = came.error.word == "busy"
        return Transformed(None, "timeout" if busy else "transform", BUSY if busy else str(came.error), came.console)
    return Transformed(cleaned(came.value), console=came.console)


def _ensure_not_too_often(application_id: int) -> None:
    if count(f"test-sources:{application_id}", window_s=60) > PER_MINUTE:
        raise TooManyTrialsError(f"An application tries sources {PER_MINUTE} times a minute at most: try again soon.")


async def _tried(source: DataSource, values: Mapping[str, Any], now: datetime) -> Trial:
    began = time.perf_counter()
    rows: RowsTried | None = None
    try:
        async with asyncio.timeout(LONGEST_S), open_means() as means:
            began = time.perf_counter()
            if gives_rows(source, source.configuration):
                rows = await tried_rows(source, values, means, now)
                came = Attempt(_outcome_of(rows), rows.answer)
            else:
                came = await attempt(source, values, means, now=now)
                rows = rows_in(came)
    except TimeoutError:
        came = Attempt(Unfetched("timeout", LATE))
    trial = _trial(came, round((time.perf_counter() - began) * 1000))
    if rows is None:
        return trial
    is_cut = trial.is_cut or (rows.answer is not None and len(rows.answer.body) >= KEEPS)
    trial = replace(trial, rows=rows.rows, columns=rows.columns, found=rows.found, is_cut=is_cut)
    return replace(trial, warnings=rows.warnings)


def _outcome_of(tried: RowsTried) -> Fetched | Unfetched | Later:
    """What trying rows came to, in the words of fetching: their value is null."""
    error = tried.error
    if error is None:
        return Fetched("null", 0, "", tried.answer.status if tried.answer else 0, 0)
    if error.error_class == "busy":
        return Later((error.retry_after or timedelta()).total_seconds())
    return Unfetched(error.error_class, error.sentence, status=error.status)


def _trial(came: Attempt, duration_ms: int) -> Trial:
    outcome, answer = came.outcome, came.answer
    text = cleaned(text_of(answer)) if answer else ""
    value = json.loads(outcome.body) if isinstance(outcome, Fetched) else None
    error_class = error = ""
    if isinstance(outcome, Later):
        error_class, error = "timeout", BUSY
    elif isinstance(outcome, Unfetched):
        error_class, error = outcome.error_class, outcome.error
    status = answer.status if answer else getattr(outcome, "status", None) or None
    return Trial(
        value,
        error_class,
        error,
        came.console,
        status=status,
        duration_ms=duration_ms,
        bytes=len(answer.body) if answer else None,
        headers=mask(headers_of(answer)) if answer else {},
        answer=text[:SHOWN],
        is_cut=len(text) > SHOWN,
    )


def told(done: Transformed) -> dict[str, Any]:
    """As REST shows it."""
    error = {"class": done.error_class, "message": done.error} if done.error_class else None
    console = [{"level": line.level, "text": line.text} for line in done.console]
    shown: dict[str, Any] = {"ok": done.ok, "value": done.value, "error": error, "console": console}
    if isinstance(done, Trial):
        shown |= {"status": done.status, "duration": done.duration_ms, "bytes": done.bytes}
        shown |= {"headers": dict(done.headers), "answer": done.answer}
        shown |= {"rows": done.rows, "columns": [dict(one) for one in done.columns], "found": dict(done.found)}
        shown["warnings"] = list(done.warnings)
    return shown
