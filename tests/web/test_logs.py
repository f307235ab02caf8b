"""What a line of the log says, and when it shows a trace."""

import logging
import sys

import psycopg
import pytest

from badgerjobs.web.logs import LossInOneLine

LOST = psycopg.OperationalError("consuming input failed: server closed the connection\n\tThis probably means")


def line_of(error: Exception) -> str:
    """What the log has of a logger.exception in whose message a percent sign stands."""
    try:
        raise error
    except type(error):
        record = logging.LogRecord("engine", logging.ERROR, __file__, 1, "%s%% failed", (7,), sys.exc_info())
    assert LossInOneLine().filter(record)
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
