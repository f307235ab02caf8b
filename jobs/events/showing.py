"""What came of performing an event, in words, and what may help."""

from collections.abc import Mapping
from typing import Any

from badgerjobs.outbound.in_words import ERRORS as CALL_ERRORS
from badgerjobs.outbound.in_words import answer_in_words
from jobs import exchange

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
    "auth": "Look at the user, the password and the database of the connection.",
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
    "background_task": lambda _: "triggered",
    "value": lambda _: "returned",
}
