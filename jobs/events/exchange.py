"""What a page shows of a run that performed an event: what was to be done, what came of it, and what to do."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.urls import reverse

from badgerjobs.lib.code_tones import LANGUAGES
from badgerjobs.runs.models import Attempt, Run
from badgerjobs.runs.shown import Body, Code, Exchange, Shown, Side, Table
from badgerjobs.web.definitions.looks import Look
from badgerjobs.web.typed import uuid_of
from jobs import exchange
from jobs.events.looks import LOOKS
from jobs.events.showing import ADVICE, ERRORS, answer_of
from jobs.events.trials_shown import Tried
from jobs.events.types import action
from jobs.models import Event, EventType, Job
from tasks.models import BackgroundRun

# So many lines of code are shown.
MOST_LINES = 2000
# How an error names its place in the statement or the code: `line 2, column 6`.
PLACE = re.compile(r"\bline (\d{1,6}), column \d")


def exchange_of(run: Run, attempt: Attempt | None) -> Exchange | None:
    """The event and its input as they are now; what came of it as it was kept. None where the job is gone."""
    rows = Job.objects.for_application(run.application).filter(runnable=run.runnable)
    job = rows.select_related("event__connection").defer("event__connection__configuration").first()
    if job is None or job.event is None:
        return None
    given = job.input if run.input is None else run.input
    return exchange_with(run, attempt, job.event, given, changed_at=max(job.updated_at, job.event.updated_at))


def exchange_with(run: Run, attempt: Attempt | None, event: Event, given: Any, *, changed_at: datetime) -> Exchange:
    """An event and what it is given, and what came of it. `changed_at`: when the two were changed last."""
    result = (attempt.result if attempt else None) or {}
    is_older = changed_at > (attempt.started_at if attempt else run.created_at)
    return Exchange(
        request=_request(run, event, given, None if is_older else attempt),
        response=_response(run, result) if result else None,
        is_older=is_older,
        is_call=False,
        tells_output="value" in result and "error" not in result,
    )


def _request(run: Run, event: Event, given: Any, attempt: Attempt | None) -> Side:
    """The event and its input. `attempt`: the one that did just that; None where there is none, or it may have not."""
    facts = []
    if event.type == EventType.ACTION:
        sent = action.called(event.configuration, {"input": given}) if attempt else ""
        facts = [("Called", sent) if sent else ("Calls", action.called(event.configuration))]
    if its := event.configuration.get("background_task"):
        facts.append(("Background task", str(its)))
    if event.connection:
        facts.append(("Connection", event.connection.name))
    return Side(
        event.get_type_display(),
        event.tag,
        body=replace(_json(given), called="input"),
        facts=facts,
        code=_code(event, attempt),
        address=reverse("jobs:event", args=[run.application.slug, event.tag]),
    )


def _code(event: Event, attempt: Attempt | None) -> Code | None:
    """The statement or the code, with the line where the attempt went wrong. None where it triggers a task."""
    for name, look in LOOKS.get(event.type, {}).items():
        if look.editor in LANGUAGES and name in event.configuration:
            places = PLACE.findall(attempt.error) if attempt else []
            return _beginning(look, str(event.configuration[name]), int(places[-1]) if places else 0)
    return None


def _beginning(look: Look, text: str, wrong: int) -> Code:
    shown = "\n".join(text[: exchange.LONGEST_SHOWN].split("\n")[:MOST_LINES])
    note = "" if shown == text else "Only its beginning is shown: the page of the event has all of it."
    return Code(look.label, shown, look.editor, wrong, note)


def _response(run: Run, result: Mapping[str, Any]) -> Side:
    """An answer as that of a call; rows as a table; what a function returned as JSON, with what it wrote."""
    if "status" in result:
        return exchange.response_of(result)
    shown = Tried(ok="error" not in result, duration_ms=0, result=result)
    return Side(
        answer_of(result, "") if shown.ok else "",
        body=replace(_json(result["value"]), called="value") if shown.value else Body(size=len(content_of(result))),
        facts=shown.facts,
        table=Table(shown.columns, shown.rows, _left_out(result, len(shown.rows))) if shown.columns else None,
        lines=[(str(line["level"]), str(line["text"])) for line in shown.console],
        begun=_begun(run, result),
    )


def _begun(run: Run, result: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The background task that was triggered, as long as it is there."""
    its = uuid_of(str(result.get("background_task", "")))
    rows = BackgroundRun.objects.for_application(run.application).filter(pk=its) if its else ()
    return [
        ("Background task", row.name, reverse("background:task", args=[run.application.slug, row.pk])) for row in rows
    ]


def _left_out(result: Mapping[str, Any], shown: int) -> str:
    kept = len(result["rows"])
    said = [f"The first {shown:,} of {kept:,} are shown; the download has all."] if kept > shown else []
    return " ".join([*said, *(["There were more than are kept."] if result.get("truncated") else [])])


def input_of(job: Job) -> Body:
    """What the event is given, as far as it is shown."""
    return _json(job.input)


def _json(value: Any) -> Body:
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return Body(text[: exchange.LONGEST_SHOWN], len(text.encode()))


def content_of(result: Mapping[str, Any]) -> bytes:
    """The body of an answer, byte for byte; of what is no answer, the result as JSON."""
    return exchange.content_of(result) if "status" in result else json.dumps(result, ensure_ascii=False).encode()


def advice_on(attempt: Attempt) -> str:
    """What may help: of an answer what a job's own call would be told."""
    if attempt.error_class == "status":
        return exchange.advice_on(attempt)
    return ADVICE.get(attempt.error_class, "")


EVENT = Shown(
    "event", answer_of, exchange_of, advice_on, content_of, exchange.page_of, exchange.titles_of, exchange.called,
    errors=ERRORS, backfill=exchange.backfill_of,
)  # fmt: skip
