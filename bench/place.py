"""A data directory of the benchmark's own: servers as durable as with `make up`, empty at first, gone at the end."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection

from badgerjobs.embedded.layout import Layout
from badgerjobs.embedded.servers import running

# How long processes may take that were starting when all was ended.
LATE_S = 15.0
# Whatever database the shell names, nothing is measured in it: the benchmark fills what it is given.
NOT_OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "EGRESS_ALLOW", "HOST", "PORT", "DEMO")


@contextmanager
def of_its_own(postgres: Mapping[str, str] | None) -> Iterator[None]:
    """Point all settings at a temporary folder; start both servers there for the block, unless `postgres` is None.

    `postgres` are settings that go over those of `make up`.
    """
    folder = Path(tempfile.mkdtemp(prefix="badgerjobs-bench-"))
    folder.chmod(0o711)  # as root, the servers run as another account and must come through
    for name in NOT_OURS:
        os.environ.pop(name, None)
    os.environ.update(BADGERJOBS_DATA_DIR=str(folder / "data"), DJANGO_SETTINGS_MODULE="badgerjobs.settings")
    try:
        django.setup()
        with nullcontext() if postgres is None else _servers(Layout(folder / "data"), postgres):
            yield
    finally:
        _until_nobody_uses(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _until_nobody_uses(folder: Path) -> None:
    """Until the processes are gone that were told of it, or some seconds are over.

    One that was just starting when its worker was killed sees that a moment later, and makes the folder anew meanwhile.
    """
    patience = time.monotonic() + LATE_S
    while any(map(partial(_is_told_of, folder), Path("/proc").glob("[0-9]*"))) and time.monotonic() < patience:
        time.sleep(0.05)


def _is_told_of(folder: Path, process: Path) -> bool:
    try:
        told = (process / "environ").read_bytes()
    except OSError:  # gone meanwhile, or somebody else's
        return False
    return int(process.name) != os.getpid() and os.fsencode(folder) in told


@contextmanager
def _servers(layout: Layout, postgres: Mapping[str, str]) -> Iterator[None]:
    with running(layout, postgres):
        try:
            call_command("migrate", verbosity=0)
            yield
        finally:
            connection.close()
