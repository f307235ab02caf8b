"""What a line of the log says, and when it shows a trace."""

import logging
import sys
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, TooManyFieldsSent

from badgerjobs.web.logs import LossInOneLine, RefusalInOneLine

LOST = psycopg.OperationalError("consuming input failed: server closed the connection\n\tThis probably means")


def line_of(error: Exception) -> str:
    """What the log has of a logger.exception in whose message a percent sign stands."""
    try:
        raise error
    except type(error):
        record = logging.LogRecord("engine", logging.ERROR, __file__, 1, "%s%% failed", (7,), sys.exc_info())
    assert LossInOneLine().filter(record)
    assert RefusalInOneLine().filter(record)
    return logging.Formatter("%(levelname)s: %(message)s").format(record)


def test_a_lost_connection_is_one_line_with_its_reason() -> None:
    assert line_of(LOST) == "ERROR: 7% failed: the database is away (server closed the connection)"


@pytest.mark.parametrize(
    "error", [psycopg.errors.QueryCanceled("statement timeout"), ValueError("bug")], ids=["refused", "bug"]
)
def test_every_other_error_keeps_its_trace(error: Exception) -> None:
    first, *trace = line_of(error).splitlines()
    assert first == "ERROR: 7% failed"
    assert trace[0] == "Traceback (most recent call last):"
    assert str(error) in trace[-1]


@pytest.mark.parametrize(
    "error",
    [PermissionDenied("This needs\nanother role."), TooManyFieldsSent("This needs\nanother role."), BadRequest("")],
    ids=["403", "too many fields", "400 without a word"],
)
def test_what_was_refused_is_one_line(error: Exception) -> None:
    said = f": {error}".replace("\n", "?") if str(error) else ""
    assert line_of(error) == f"ERROR: 7% failed{said}"


def test_the_log_of_a_server_says_so_of_every_logger() -> None:
    logging_set: Any = settings.LOGGING
    assert set(logging_set["handlers"]["stderr"]["filters"]) == {"loss", "refusal"}
