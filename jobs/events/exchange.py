"""What a page shows of a run that performed an event: what was to be done, what came of it, and what to do."""

import json
from collections.abc import Mapping
from typing import Any

from badgerjobs.runs.models import Attempt, Run
from badgerjobs.runs.shown import Body, Exchange, Shown, Side, Table
from jobs import exchange
from jobs.events.showing import ADVICE, ERRORS, answer_of
from jobs.events.tried import Tried
from jobs.models import Job


def exchange_of(run: Run, attempt: Attempt | None) -> Exchange | None:
    """The event and its input as they are now; what came of it as it was kept. None where the job is gone."""
    job = Job.objects.for_application(run.application).filter(runnable=run.runnable).select_related("event").first()
    if job is None or job.event is None:
        return None
    given = job.input if run.input is None else run.input
    result = (attempt.result if attempt else None) or {}
    changed = max(job.updated_at, job.event.updated_at)
    is_returned = "value" in result and "error" not in result
    return Exchange(
        request=Side(job.event.get_type_display(), job.event.tag, body=_json({"input": given})),
        response=_response(result) if result else None,
        is_older=changed > (attempt.started_at if attempt else run.created_at),
        is_call=False,
        tells_output=is_returned,
    )


def _response(result: Mapping[str, Any]) -> Side:
    """An answer as that of a call; rows as a table; what a function returned as JSON, with what it wrote."""
    if "status" in result:
        return exchange._response(result)
    shown = Tried(ok="error" not in result, duration_ms=0, result=result)
    return Side(
        answer_of(result, "") if shown.ok else "",
        body=_json(result["value"]) if shown.value else Body(size=len(content_of(result))),
        facts=shown.facts,
        table=Table(shown.columns, shown.rows, _left_out(result, len(shown.rows))) if shown.columns else None,
        lines=[(str(line["level"]), str(line["text"])) for line in shown.console],
    )


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
