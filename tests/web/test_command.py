"""`manage.py web`: the web server, in the place of the process that was asked for it."""

import os
from importlib import import_module
from typing import Any

import pytest
from django.core.management import call_command


def started(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[str]:
    """The command line that would take over."""
    found: list[Any] = []
    monkeypatch.setattr(os, "execve", lambda program, line, _: found.extend([program, *line]))
    call_command("web", *arguments)
    return found


def test_gunicorn_takes_over_on_the_address_of_the_settings(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.HOST, settings.PORT = "127.0.0.1", 8123
    line = started(monkeypatch, "--processes", "3", "--threads", "5")
    assert line[2:5] == ["-m", "gunicorn", "badgerjobs.wsgi:application"]
    assert line[-1] == "--no-control-socket"  # it would lie outside of the data directory
    given = dict(zip(line[5:-1:2], line[6:-1:2], strict=True))
    # A job may send SCRIPT_NAME to our own /echo/, from this machine: nothing may take it for the path of the request.
    assert (given["--forwarder-headers"].strip(), given["--forwarded-allow-ips"].strip()) == ("", "")
    assert (given["--bind"], given["--workers"], given["--threads"]) == ("127.0.0.1:8123", "3", "5")


def test_what_answers_knows_how_many_threads_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str] = []
    monkeypatch.setattr(os, "execve", lambda *given: found.append(given[2]["WEB_THREADS"]))
    call_command("web", "--threads", "5")
    call_command("web")
    assert found == ["5", "16"]
    assert "WEB_THREADS" not in os.environ


@pytest.mark.parametrize(("host", "bound"), [("::1", "[::1]:8123"), ("::", "[::]:8123"), ("0.0.0.0", "0.0.0.0:8123")])
def test_an_address_of_ipv6_is_bound_as_gunicorn_reads_it(
    host: str, bound: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.HOST, settings.PORT = host, 8123
    config: Any = import_module("gunicorn.config")
    parse: Any = import_module("gunicorn.util").parse_address
    given = config.Config().parser().parse_args(started(monkeypatch)[5:]).bind
    assert given == [bound]
    assert parse(bound) == (host, 8123)


def test_every_option_is_one_that_gunicorn_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    config: Any = import_module("gunicorn.config")
    options = config.Config().parser().parse_args(started(monkeypatch)[5:])
    assert (options.worker_class, options.graceful_timeout) == ("gthread", 5)
