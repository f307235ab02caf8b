"""What code prints goes to the worker's log, line by line, with the run that it belongs to.

The process says in the same stream, by a line that begins with a null character, what follows: so each line is told
apart from those of the work before, though the answers take another way.
"""

import asyncio
import logging
import os
import sys
import traceback
from contextlib import suppress
from uuid import UUID

logger = logging.getLogger(__name__)

# What is longer is cut, and what is more is left out: code may print without end.
LINE_BYTES, MOST_LINES = 8 * 1024, 2000

_ERRORS, _REST = b"E", b"I"


def mark(run_id: UUID | None, *, is_error: bool = False) -> None:
    """Say, in the process, what the lines that follow belong to; None: to no run."""
    level = _ERRORS if is_error else _REST
    os.write(2, b"\n\0" + level + str(run_id or "").encode() + b"\n")


def show(error: BaseException, run_id: UUID) -> None:
    """Into the worker's log alone: a traceback says much of the code, and of what it worked on."""
    flush()
    mark(run_id, is_error=True)
    with suppress(Exception):
        traceback.print_exception(error)
    flush()
    mark(run_id)


def flush() -> None:
    """Have all printed that was said so far."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # the code may have closed it
            stream.flush()


class Prints:
    """Passes on what comes out of one process."""

    def __init__(self, pid: int) -> None:
        self._nobody = f"process {pid}"
        self._whose, self._level, self._lines = self._nobody, logging.INFO, 0

    async def pass_on(self, stream: asyncio.StreamReader) -> None:
        """Until the process, and what it has started, has closed its end."""
        rest = b""
        while chunk := await stream.read(64 * 1024):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LINE_BYTES:
                lines.append(rest)
                rest = b""
            for line in lines:
                self._pass(line)
        self._pass(rest)

    def _pass(self, line: bytes) -> None:
        if line.startswith(b"\0"):
            self._turn(line[1:2], line[2:].decode(errors="replace"))
            return
        text = line[:LINE_BYTES].decode(errors="backslashreplace").rstrip()
        if not text:
            return
        self._lines += 1
        if self._lines <= MOST_LINES:
            logger.log(self._level, "%s: %s", self._whose, text)
        elif self._lines == MOST_LINES + 1:
            logger.log(self._level, "%s: what else it prints is left out", self._whose)

    def _turn(self, level: bytes, run_id: str) -> None:
        whose = f"run {run_id}" if run_id else self._nobody
        if whose != self._whose or level == _ERRORS:
            self._lines = 0
        self._whose, self._level = whose, logging.ERROR if level == _ERRORS else logging.INFO
