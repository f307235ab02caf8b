"""What came of a call in a few words, the same wherever it is said."""

from http import HTTPStatus

# What went wrong, by the class of the error, in as few words as a column has. The sentence is the attempt's.
ERRORS = {
    "connect": "no connection",
    "dns": "no such host",
    "timeout": "no answer in time",
    "tls": "no secure connection",
    "refused": "not allowed",
    "too_large": "answer too large",
    "protocol": "no HTTP",
    "internal": "our fault",
}


def answer_in_words(status: int | None, error_class: str = "", *, brief: bool = False) -> str:
    """`503 Service Unavailable`, or `503` when brief; what went wrong where no answer counts; empty for neither."""
    if not status or error_class not in {"", "status"}:
        return ERRORS.get(error_class, "")
    return str(status) if brief else f"{status} {phrase(status)}".strip()


def phrase(status: int) -> str:
    """`Service Unavailable`; empty for a number that HTTP does not know."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
