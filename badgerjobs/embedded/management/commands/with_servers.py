"""`manage.py with_servers -- COMMAND`: runs a command beside embedded servers that are its own and end with it."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from argparse import REMAINDER, ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from badgerjobs.embedded.layout import Layout
from badgerjobs.embedded.servers import FORGETFUL, running


class Command(BaseCommand):
    help = "Run a command beside a PostgreSQL and a Valkey of its own, empty at first and removed at the end."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument("--durable", action="store_true", help="run PostgreSQL as `up` does, not as tests do")
        parser.add_argument("command", nargs=REMAINDER, help="what to run, after --")

    def handle(self, *args: Any, durable: bool, command: list[str], **options: Any) -> None:
        """Run it and exit with its status. With DATABASE_URL and REDIS_URL set, those servers are used."""
        words = command[1:] if command[:1] == ["--"] else command
        if not words:
            raise CommandError("Say what to run: manage.py with_servers -- COMMAND")
        if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
            sys.exit(subprocess.call(words))
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the blocks below are left
        with _temporary_data_directory() as folder, running(Layout(folder), {} if durable else FORGETFUL):
            environment = {
                name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}
            }
            status = subprocess.call(words, env=environment | {"BADGERJOBS_DATA_DIR": str(folder)})
        sys.exit(status)


@contextmanager
def _temporary_data_directory() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="badgerjobs-servers-"))
    folder.chmod(0o711)  # as root, the servers run as another account and must come through
    try:
        yield folder / "data"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
