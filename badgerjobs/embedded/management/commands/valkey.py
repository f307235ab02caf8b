"""`manage.py valkey`: a prompt for the broker, since the wheel brings no valkey-cli."""

import contextlib
import shlex
import sys
from argparse import REMAINDER, ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from redis import Connection, ConnectionPool, RedisError, ResponseError


class Command(BaseCommand):
    help = "Send one command to Valkey, or open a prompt that sends many."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument("words", nargs=REMAINDER, help="a command, such as: LLEN io. None: a prompt")

    def handle(self, *args: Any, words: list[str], **options: Any) -> None:
        """Send and show. Raises CommandError when there is nobody to send to."""
        pool = ConnectionPool.from_url(settings.REDIS_URL, protocol=2)
        try:
            connection = pool.get_connection()
            if words:
                self.stdout.write(ask(connection, words))
            else:
                self._prompt(connection)
        except RedisError as error:
            raise CommandError(f"Valkey does not answer ({error}). Does `make up` run?") from None
        finally:
            pool.disconnect()

    def _prompt(self, connection: Connection) -> None:
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401, PLC0415  lines can be edited and called back where Python was built with it
        while True:
            try:
                words = shlex.split(input("valkey> " if sys.stdin.isatty() else ""))
            except ValueError as error:
                self.stdout.write(f"(error) {error}")
                continue
            except (EOFError, KeyboardInterrupt):
                return
            if words and words[0].lower() in {"exit", "quit"}:
                return
            if words:
                self.stdout.write(ask(connection, words))


def ask(connection: Connection, words: list[str]) -> str:
    """Send one command and return its reply in words. Raises redis.ConnectionError; what Valkey refuses is a reply."""
    connection.send_command(*words)  # type: ignore[no-untyped-call]
    try:
        return "\n".join(lines_of(connection.read_response()))
    except ResponseError as error:
        return f"(error) {error}"


def lines_of(reply: object) -> list[str]:
    """Write a reply as valkey-cli does."""
    match reply:
        case None:
            return ["(nil)"]
        case int():
            return [f"(integer) {reply}"]
        case bytes():
            return reply.decode(errors="backslashreplace").splitlines() or [""]
        case []:
            return ["(empty)"]
        case list():
            return [line for number, item in enumerate(reply, 1) for line in _numbered(number, lines_of(item))]
    return [str(reply)]


def _numbered(number: int, lines: list[str]) -> list[str]:
    first = f"{number}) "
    return [f"{first}{lines[0]}", *(" " * len(first) + line for line in lines[1:])]
