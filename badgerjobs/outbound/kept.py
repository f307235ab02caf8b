"""What is kept of an answer, as JSON takes it."""

import base64
from collections.abc import Sequence
from typing import Any

from badgerjobs.outbound.calls import Answer


def result_of(answer: Answer) -> dict[str, Any]:
    """An answer as it is kept with the attempt. A body that is not text is kept as base64, and says so."""
    body, is_base64 = as_text(answer.body, truncated=answer.truncated)
    return {
        "status": answer.status,
        "headers": merged(answer.headers),
        "body": body,
        "body_is_base64": is_base64,
        "body_truncated": answer.truncated,
    }


def as_text(body: bytes, *, truncated: bool) -> tuple[str, bool]:
    """UTF-8 text, or base64 and True. A cut may have gone through a character: its rest is dropped."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        if not (truncated and error.start >= len(body) - 3):
            return base64.b64encode(body).decode(), True
        text = body[: error.start].decode()
    # PostgreSQL keeps no NUL in text; a body that has one is not text anyway.
    return (base64.b64encode(body).decode(), True) if "\0" in text else (text, False)


def merged(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name; values of one name joined with a comma, as HTTP reads them."""
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined
