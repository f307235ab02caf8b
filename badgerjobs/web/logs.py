"""What goes into the log."""

import logging
import re

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation

from badgerjobs.lib.connection_loss import reason_of

# Servers write lines as they came: each letter may be one of `%68` and the like.
_HOOKS = "".join(f"(?:{letter}|%{ord(letter):02x})" for letter in "/hooks/")
_HOOK = re.compile(_HOOKS + r"[^\s'\"<>]*", re.IGNORECASE)


class UnexpectedOnly(logging.Filter):
    """Of what Django says of requests, let through what has a trace: a 404 or a 503 is an answer, not an event."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True keeps the line."""
        return record.exc_info is not None


class NoHookAddress(logging.Filter):
    """The address of a webhook is a secret, and stands in no line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every line, with an ellipsis in the place of what follows `/hooks/`."""
        said = record.getMessage()
        if _HOOK.search(said):
            record.msg, record.args = _HOOK.sub("/hooks/…", said), ()
        return True


class LossInOneLine(logging.Filter):
    """A lost connection to the database is made anew by whoever needs it next: say why it went, and show no trace."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every line; the trace of any other error too."""
        if record.exc_info and (reason := reason_of(record.exc_info[1])):
            record.msg, record.args = f"{record.getMessage()}: the database is away ({reason})", ()
            record.exc_info = record.exc_text = None
        return True


class RefusalInOneLine(logging.Filter):
    """What a request was refused for (400, 403) is said in one line: where in our code that was tells nobody more."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every line; the trace of any other error too."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, PermissionDenied | SuspiciousOperation | BadRequest):
            said, why = record.getMessage(), str(error)
            line = said if why in said else f"{said}: {why}"
            # Names and addresses are in it: nobody writes a second line into this log.
            record.msg, record.args = "%s", ("".join(one if one.isprintable() else "?" for one in line),)
            record.exc_info = record.exc_text = None
        return True
