"""What goes into the log."""

import logging


class UnexpectedOnly(logging.Filter):
    """Of what Django says of requests, let through what has a trace: a 404 or a 503 is an answer, not an event."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True keeps the line."""
        return record.exc_info is not None
