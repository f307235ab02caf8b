"""`manage.py up`: everything on this machine, in the foreground."""

import subprocess
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, SystemCheckError

from badgerjobs.embedded import address, lock, stack
from badgerjobs.embedded.layout import DataDirectoryError
from badgerjobs.embedded.processes import end_with_parent, kill_all, marked
from badgerjobs.embedded.supervisor import Stopped, Supervisor


class Command(BaseCommand):
    help = "Start everything on this machine and keep it running: servers, beat, workers, web. Ctrl-C ends all of it."
    requires_system_checks = []  # made in `handle`, where their errors are exit codes

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options."""
        parser.add_argument("--with-parent", action="store_true", help="end when the process that started this ends")
        parser.add_argument("--servers", action="store_true", help="start the embedded servers and nothing else")

    def handle(self, *args: Any, with_parent: bool, servers: bool, **options: Any) -> None:
        """Run until SIGTERM or Ctrl-C. Exits with 2 when the place is taken, with 1 when something does not start."""
        if with_parent:
            end_with_parent()
        with _as_exit_codes():
            self.check()  # here once: below, each process would die of the same error again and again
        with _as_exit_codes(), lock.hold(settings.LAYOUT, address.url_of(settings.HOST, settings.PORT)) as held:
            # The lock is ours: whatever else runs for this data directory was left over by a process that was killed.
            kill_all(marked(stack.MARK, str(settings.DATA_DIR)))
            address.ensure_free(settings.HOST, settings.PORT)
            with Supervisor() as supervisor:
                try:
                    if servers:
                        stack.start_servers(supervisor)
                        supervisor.log.write("ready: servers only\n")
                    else:
                        stack.bring_up(supervisor)
                    supervisor.watch()
                except Stopped:
                    supervisor.log.say("stopping", "up")
                finally:
                    held.announce_end()
                    # Here, while signals still come to the supervisor: an impatient second one cuts nothing short.
                    supervisor.log.say(f"stopped in {supervisor.stop():.1f} s", "up")


@contextmanager
def _as_exit_codes() -> Iterator[None]:
    try:
        yield
    except SystemCheckError as error:
        raise CommandError(str(error), returncode=2) from None
    except (lock.Held, address.UnusableAddressError) as error:
        raise CommandError(str(error), returncode=2) from None
    except (DataDirectoryError, TimeoutError, RuntimeError, LookupError, OSError, subprocess.SubprocessError) as error:
        raise CommandError(str(error), returncode=1) from None
