import psycopg
import pytest
from django.db import OperationalError, ProgrammingError

from badgerjobs.lib.connection_loss import reason_of

ADVICE = "connection failed: connection to server on socket failed: No such file or directory\n\tIs the server running?"


def wrapped(cause: psycopg.Error) -> OperationalError:
    """As Django raises it."""
    error = OperationalError(str(cause))
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (psycopg.OperationalError(ADVICE), "No such file or directory"),
        (psycopg.OperationalError("the connection is closed"), "the connection is closed"),
        (psycopg.errors.AdminShutdown("terminating connection"), "terminating connection"),
        (psycopg.errors.CannotConnectNow("the database system is starting up"), "the database system is starting up"),
        (wrapped(psycopg.OperationalError(ADVICE)), "No such file or directory"),
    ],
    ids=["no socket", "closed", "shut down", "starting", "as Django says it"],
)
def test_a_connection_that_is_not_there_has_a_reason_of_one_line(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.QueryCanceled("statement timeout"),
        psycopg.errors.DiskFull("no space left"),
        psycopg.errors.UndefinedTable("no such table"),
        wrapped(psycopg.errors.DeadlockDetected("deadlock")),
        OperationalError("made by hand"),
        ProgrammingError("no such column"),
        ValueError("bug"),
        None,
    ],
    ids=repr,
)
def test_every_other_error_has_none(error: Exception | None) -> None:
    assert reason_of(error) is None
