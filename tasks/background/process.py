"""The process that runs definitions' code: one work after another, as its worker says."""

import ctypes
import faulthandler
import logging
import os
import queue
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from django.db import connections

from badgerjobs.workspaces.models import Application
from tasks.background import prints, reading
from tasks.background.calling import called
from tasks.background.came import Came
from tasks.background.context import context_of
from tasks.background.definitions import Definition, definition_of
from tasks.background.errors import NO_DEFINITION
from tasks.background.faults import failure_of
from tasks.background.link import Beside, DatabaseLink
from tasks.background.params import Params
from tasks.background.pipe import MOST_BYTES, READY, Work, answer, work_in

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
# When the machine runs out of memory, we go before our worker does.
_OOM_SCORE = "500"

TOO_LARGE = "What the iteration leaves is larger than a message to the worker may be."


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
        came = performed(work, beside, stopped)
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


def performed(work: Work, beside: Beside, stopped: threading.Event) -> Came:
    """Run the code. Whatever it does and raises, there is an answer, unless it ends the process."""
    definition = definition_of(work.definition)
    if definition is None:
        return _failed({"message": f'There is no definition "{work.definition}" here.', "code": NO_DEFINITION})
    owner = Application.objects.select_related("workspace")
    application = beside.insist(lambda: owner.get(pk=work.application_id), until=stopped)
    if work.kind == "hook":
        return _hooked(work, definition, application)
    return _iterated(
        work,
        definition,
        DatabaseLink(work, beside, stopped, application=application, keeps_info=definition.database_logs),
        application,
    )


def _iterated(work: Work, definition: Definition, link: DatabaseLink, application: Application) -> Came:
    params = None
    try:
        params = Params(
            definition=definition,
            context=context_of(application),
            link=link,
            input=work.input,
            output=work.output,
            ends_at=link.ends_at(),
            id=work.run_id,
            name=work.name,
            iteration=work.iteration,
            attempt=work.attempt,
        )
        return params.came_of(called(definition.run, params))
    except BaseException as error:  # SystemExit, too
        _show(work, error)
        return params.failed(error) if params else _failed(error)
    finally:
        link.end_log()


def _hooked(work: Work, definition: Definition, application: Application) -> Came:
    try:
        if hook := definition.hook(work.hook):
            called(hook, context_of(application), reading.get(application, work.run_id))
    except BaseException as error:  # SystemExit, too
        _show(work, error)
        return _failed(error)
    return Came("done")


def _failed(error: Any) -> Came:
    said = failure_of(error)
    return Came("error", said["message"], error=said)


def _show(work: Work, error: BaseException) -> None:
    """Into the worker's log alone: a traceback says much of the code, and of what it worked on."""
    _flush()
    prints.mark(work.run_id, is_error=True)
    with suppress(Exception):
        traceback.print_exception(error)
    _flush()
    prints.mark(work.run_id)


def line_of(came: Came, nonce: str) -> bytes:
    """The answer to the worker."""
    line = answer(came, nonce)
    if len(line) <= MOST_BYTES:
        return line
    return answer(_failed({"message": TOO_LARGE, "code": "TASK_TOO_LARGE"}), nonce)


def _tidy() -> None:
    """Leave to the next work what it may find: no transaction, no broken connection, nothing that is not printed."""
    _flush()
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:  # entered by hand and never left: nobody else can leave it
            connection.in_atomic_block = False
            connection.close()
        connection.close_if_unusable_or_obsolete()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # the code may have closed it
            stream.flush()
