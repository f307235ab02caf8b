"""What a page shows of a run that performed an event: what was to be done, what came of it, and what to do."""

import json
from collections.abc import Mapping
from typing import Any

from badgerjobs.runs.models import Attempt, Run
from badgerjobs.runs.shown import Body, Exchange, Shown, Side
from jobs import exchange
from jobs.answers import ERRORS as CALL_ERRORS
from jobs.answers import answer_in_words
from jobs.models import Job

ERRORS = {
    **CALL_ERRORS,
    "protocol": "not that protocol",
    "auth": "not let in",
    "rejected": "not taken",
    "sql": "a statement that fails",
    "constraint": "a constraint",
    "data": "wrong data",
    "input": "input that does not fit",
    "script": "a script that fails",
    "memory": "too much memory",
}

ADVICE = {
    **exchange.ADVICE,
    "dns": "Look at the host in the event or in its connection: it has no address that can be found.",
    "timeout": "Give the event a longer timeout, or let it do less.",
    "auth": "Look at the user and the password of the connection.",
    "rejected": "Look at what the server says, then change the event or what it names.",
    "sql": "Change the statement, then try the event out before you replay the run.",
    "constraint": "Look at what is in the table already: the statement may have been run before.",
    "data": "Look at the input of the job: the database cannot take a value of it.",
    "input": "Change the input of the job, or the placeholders of the event.",
    "script": "Change the code, then try the event out with this input before you replay the run.",
    "memory": "Let the code keep less at once.",
}


def answer_of(result: Mapping[str, Any], error_class: str) -> str:
    """`200 OK`, `3 rows`, `mail to 2`: what came of an attempt in a few words."""
    if error_class not in {"", "status"}:
        return ERRORS.get(error_class, "")
    if "status" in result:
        return answer_in_words(result["status"], error_class)
    return next((said(result[name]) for name, said in _SAID.items() if name in result), "")


def _rows(count: Any) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


_SAID: Mapping[str, Any] = {
    "rows_returned": _rows,
    "rows_affected": lambda count: f"{_rows(count)} changed",
    "accepted": lambda accepted: f"mail to {len(accepted)}",
    "message_id": lambda _: "published",
    "value": lambda _: "returned",
}


def exchange_of(run: Run, attempt: Attempt | None) -> Exchange | None:
    """The event and its input as they are now; what came of it as it was kept. None where the job is gone."""
    job = Job.objects.for_application(run.application).filter(runnable=run.runnable).select_related("event").first()
    if job is None or job.event is None:
        return None
    given = job.input if run.input is None else run.input
    result = (attempt.result if attempt else None) or {}
    changed = max(job.updated_at, job.event.updated_at)
    return Exchange(
        request=Side(job.event.get_type_display(), job.event.tag, body=_json({"input": given})),
        response=_response(result) if result else None,
        is_older=changed > (attempt.started_at if attempt else run.created_at),
    )


def _response(result: Mapping[str, Any]) -> Side:
    if "status" in result:
        return exchange._response(result)
    return Side(answer_of(result, "") or "Result", body=_json(result))


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
