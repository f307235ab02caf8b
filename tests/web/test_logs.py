"""What a line of the log says, and when it shows a trace."""

import logging
import runpy
import socket
import sys
from importlib import import_module
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, TooManyFieldsSent

from badgerjobs.web.logs import LossInOneLine, NoHookAddress, RefusalInOneLine

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
    assert set(logging_set["handlers"]["stderr"]["filters"]) == {"loss", "refusal", "hooks"}


@pytest.mark.parametrize(
    ("said", "args", "line"),
    [
        ("Bad Request: %s", ("/hooks/s-e_cret",), "Bad Request: /hooks/…"),
        ("%s: %d%% of 'http://a/hooks/secret?a=1'", ("Slow", 7), "Slow: 7% of 'http://a/hooks/…'"),
        ("/hooks/a and /hooks/b/c", (), "/hooks/… and /hooks/…"),
        ("nothing of 100%", (), "nothing of 100%"),
        ("POST /%68ooks/secret", (), "POST /hooks/…"),
        ("POST /hoo%6B%73%2Fsecret HTTP", (), "POST /hooks/… HTTP"),
    ],
)
def test_the_address_of_a_webhook_is_in_no_line(said: str, args: tuple[Any, ...], line: str) -> None:
    record = logging.LogRecord("django.request", logging.WARNING, __file__, 1, said, args, None)
    assert NoHookAddress().filter(record)
    assert record.getMessage() == line


def test_what_the_server_says_of_a_line_that_is_no_request_has_no_address_of_a_webhook(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log = logging.getLogger("gunicorn.error")
    for name, value in (("filters", []), ("propagate", False), ("handlers", [caplog.handler])):  # as gunicorn has it
        monkeypatch.setattr(log, name, value)
    monkeypatch.setattr("django.core.wsgi.get_wsgi_application", lambda: None)
    monkeypatch.setattr("tasks.cache.counting.keep_writing", lambda: None)
    base: Any = import_module("gunicorn.workers.base")
    monkeypatch.setattr(base.util, "write_error", base.util.write_error)  # which is another one from now on
    runpy.run_module("badgerjobs.wsgi")
    worker = object.__new__(base.Worker)
    worker.log = log
    errors: Any = import_module("gunicorn.http.errors")
    ill = errors.InvalidRequestLine("POST /hooks/s-e_cret and more HTTP/1.1")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        worker.handle_error(None, ours, ("192.0.2.1", 1), ill)
        page = theirs.recv(4096)
    assert "/hooks/…" in caplog.text
    assert "s-e_cret" not in caplog.text
    assert b"400 Bad Request" in page
    assert b"s-e_cret" not in page
