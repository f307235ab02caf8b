"""A database and a broker of the benchmark's own: empty at first, as durable as those of `make up`, gone at the end."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection

from badgerjobs.embedded.layout import Layout
from badgerjobs.embedded.servers import running

# Whatever database the shell names, nothing is measured in it: the benchmark fills what it is given.
NOT_OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "EGRESS_ALLOW", "HOST", "PORT", "DEMO")
# It counts the pages that statements read, and costs too little to be seen in the figures.
COUNTED = {"shared_preload_libraries": "pg_stat_statements"}


@contextmanager
def of_its_own() -> Iterator[None]:
    """Start both servers with all tables, for as long as the block lasts."""
    folder = Path(tempfile.mkdtemp(prefix="badgerjobs-bench-"))
    folder.chmod(0o711)  # as root, the servers run as another account and must come through
    for name in NOT_OURS:
        os.environ.pop(name, None)
    os.environ.update(BADGERJOBS_DATA_DIR=str(folder / "data"), DJANGO_SETTINGS_MODULE="badgerjobs.settings")
    try:
        with running(Layout(folder / "data"), COUNTED):
            django.setup()
            try:
                call_command("migrate", verbosity=0)
                yield
            finally:
                connection.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
