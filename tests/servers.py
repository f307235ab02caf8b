"""A pytest plugin: one PostgreSQL and one Valkey for the whole run, in a temporary folder, stopped at its end.

pyproject loads it by `-p`, since settings are read before any conftest.py is. With DATABASE_URL and REDIS_URL set,
those servers are used. Under xdist the controller starts the servers; each worker has a database of each to itself.
"""

import atexit
import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from badgerjobs.embedded.layout import Layout
from badgerjobs.embedded.servers import FORGETFUL, running

_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
_GIVEN = bool(os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"))
# What a developer's shell may hold, and a test must not see.
_UNSET = (
    "PORT",
    "DEBUG",
    "EGRESS_ALLOW",
    "ALLOWED_HOSTS",
    "BEHIND_PROXY",
    "PRESET_TIME_ZONE",
    "AUDIT_DAYS",
    "RETENTION_DAYS",
    "BACKGROUND_RETENTION_DAYS",
    "WORKERS",
)

# Where data lies in memory, if there is room for all of it. What a test kills is a process and never the machine, so a
# file is there afterwards as it would be on a disk; only to make and to remove them takes no time. TMPDIR goes first.
_MEMORY, _ROOM = Path("/dev/shm"), 4 * 1024**3

_stack = ExitStack()


def _prefer_memory() -> None:
    if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)


def _set_environment() -> Layout:
    if not _WORKER:
        _prefer_memory()
        for name in _UNSET:
            os.environ.pop(name, None)
        os.environ["HOST"] = "127.0.0.1"
        # Several stacks and browsers share the processor here, and a worker that stood back for all would be late.
        os.environ["WORKER_NICENESS"] = "0"
        os.environ["DEMO"] = "1"
        os.environ["CELERY_SKIP_CHECKS"] = "1"  # manage.py has just made Django's checks, and hands over to Celery
        folder = Path(tempfile.mkdtemp(prefix="badgerjobs-tests-"))
        folder.chmod(0o711)  # as root, the servers run as another account and must come through
        _stack.callback(shutil.rmtree, folder, ignore_errors=True)
        os.environ["BADGERJOBS_DATA_DIR"] = str(folder / "data")
        if _GIVEN:
            os.environ.setdefault("SECRET_KEY", "only for tests")
            os.environ.setdefault("ENCRYPTION_KEYS", Fernet.generate_key().decode())
        else:
            for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS"):
                os.environ.pop(name, None)
    layout = Layout(Path(os.environ["BADGERJOBS_DATA_DIR"]))
    if _WORKER and not _GIVEN:
        number = int(_WORKER.removeprefix("gw")) + 1
        os.environ["REDIS_URL"] = layout.redis_url.replace("?db=0", f"?db={number}")
    return layout


_LAYOUT = _set_environment()
atexit.register(_stack.close)  # for a run that fails before it is configured


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart() -> None:
    """Start the servers, before xdist starts its workers."""
    if not _WORKER and not _GIVEN:
        _stack.enter_context(running(_LAYOUT, FORGETFUL))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Stop the servers, after the last connection is closed."""
    _stack.close()
