"""`manage.py web`: one web server in the foreground, any number of which may run."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from badgerjobs.lib.listening import location


class Command(BaseCommand):
    help = "Serves the API over HTTP until it is told to stop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--processes", type=int, default=1, help="how many processes answer (default: 1)")
        parser.add_argument(
            "--threads", type=int, default=settings.WEB_THREADS, help="requests that one process answers at once"
        )

    def handle(self, *_: Any, processes: int, threads: int, **__: Any) -> None:
        # Replaces this process: whoever supervises it signals gunicorn itself.
        os.execve(  # noqa: S606
            sys.executable,
            [
                sys.executable, "-m", "gunicorn", "badgerjobs.wsgi:application",
                "--bind", location(settings.HOST, settings.PORT),
                "--worker-class", "gthread",
                "--workers", str(processes),
                "--threads", str(threads),
                "--graceful-timeout", "5",
                "--keep-alive", "15",
                "--chdir", str(settings.BASE_DIR),
                "--worker-tmp-dir", "/dev/shm" if os.path.isdir("/dev/shm") else str(settings.DATA_DIR),  # noqa: PTH112, S108
                "--log-level", "warning",
                # Nobody's headers may set the path of a request: our own calls come from this machine as well, and a
                # job could name SCRIPT_NAME. Django reads what a proxy says, where BEHIND_PROXY says that there is one.
                "--forwarded-allow-ips", " ",
                "--forwarder-headers", " ",
                "--no-control-socket",
            ],
            {**os.environ, "WEB_THREADS": str(threads)},  # a request that waits must know how many others can
        )  # fmt: skip
