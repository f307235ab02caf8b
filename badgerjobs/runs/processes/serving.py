"""A process that runs code for a worker: one work after another, as its worker says."""

import ctypes
import faulthandler
import logging
import os
import queue
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from django.db import connections

from badgerjobs.runs.processes import prints
from badgerjobs.runs.processes.beside import Beside
from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.pipe import MOST_BYTES, READY, Work, answer, work_in
from badgerjobs.runs.processes.works import performer_of

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
# When the machine runs out of memory, we go before our worker does.
_OOM_SCORE = "500"

TOO_LARGE = "What the iteration leaves is larger than a message to the worker may be."
_TOO_LARGE = {"message": TOO_LARGE, "code": "TASK_TOO_LARGE", "data": None}


def bind_to(parent: int) -> None:
    """End when this process ends, which started us; it is also seen at the pipe, but not by code that never waits."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)
    if os.getppid() != parent:  # it was gone before the kernel was told
        os._exit(1)


class Inbox:
    """Listens to the worker, in a thread of its own. When the pipe is closed, this process ends as it stands."""

    def __init__(self, door: socket.socket) -> None:
        self._door = door
        self._works: queue.SimpleQueue[tuple[Work, threading.Event]] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="inbox", daemon=True).start()

    def next(self) -> tuple[Work, threading.Event]:
        """Wait for work. The event is set when it is to be given up."""
        return self._works.get()

    def say(self, line: bytes) -> None:
        """Answer the worker."""
        self._door.sendall(line)

    def _listen(self) -> NoReturn:
        stopped = threading.Event()
        with suppress(OSError):
            for line in self._door.makefile("rb"):
                if work := work_in(line):
                    stopped = threading.Event()
                    self._works.put((work, stopped))
                else:
                    stopped.set()
        os._exit(0)


def serve(pipe: int) -> NoReturn:
    """Do what comes in by this socket, until it is closed."""
    door = _own_door(pipe)
    faulthandler.enable()
    # Whoever ends a whole service signals all of its processes. We are the worker's, which lets us finish, or ends us.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave_it_to_the_worker)
    inbox, beside = Inbox(door), Beside()
    inbox.say(READY)
    while True:
        work, stopped = inbox.next()
        prints.mark(work.run_id)
        came = performer_of(work.kind)(work, beside, stopped)
        _tidy()
        prints.mark(None)
        inbox.say(line_of(came, work.nonce))


def _own_door(pipe: int) -> socket.socket:
    """The socket, which neither a program that the code starts nor a fork of ours has: it would keep it open."""
    os.set_inheritable(pipe, False)  # noqa: FBT003  it has no name
    door = socket.socket(fileno=pipe)
    os.register_at_fork(after_in_child=lambda: os.close(door.detach()))  # close() waits for whoever reads from it
    return door


def _leave_it_to_the_worker(*_: object) -> None:
    pass


def line_of(came: Came, nonce: str) -> bytes:
    """The answer to the worker."""
    line = answer(came, nonce)
    if len(line) <= MOST_BYTES:
        return line
    return answer(Came("error", TOO_LARGE, error=_TOO_LARGE), nonce)


def _tidy() -> None:
    """Leave to the next work what it may find: no transaction, no broken connection, nothing that is not printed."""
    prints.flush()
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:  # entered by hand and never left: nobody else can leave it
            connection.in_atomic_block = False
            connection.close()
        connection.close_if_unusable_or_obsolete()
