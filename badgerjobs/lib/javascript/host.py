"""The host's side: who waits, which call is next, and the keeper that is given it. Any thread may ask, and any loop."""

import atexit
import contextlib
import importlib.util
import itertools
import logging
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from badgerjobs.lib import env
from badgerjobs.lib.javascript import frames
from badgerjobs.lib.javascript.results import Limits, Result, answered, killed, refused
from badgerjobs.lib.javascript.turns import FullError, Turns

logger = logging.getLogger(__name__)

# Places to wait in. A call takes one more for each 64 KB of its order: so much memory, and no more, is all that waits.
MOST_WAITING, EACH_WAITING = 1000, 200
PLACE_BYTES = 64 * 1024
WAIT_S = 10.0  # for its turn

BUSY = "Too much JavaScript waits to be run. Try again later."

_FOLDER = Path(__file__).parent
_TAKES_WITHIN = struct.pack("ll", 5, 0)  # seconds, microseconds: a keeper is never busy for so long
# Our packages without what their __init__ would bring (Celery): the keeper needs this folder, and V8.
_START = """
import sys, types
folder, site = sys.argv[2:]
for depth, name in enumerate(("badgerjobs", "badgerjobs.lib", "badgerjobs.lib.javascript")):
    module = sys.modules[name] = types.ModuleType(name)
    module.__path__ = [folder.rsplit("/", 2 - depth)[0]]
sys.path.append(site)
from badgerjobs.lib.javascript import keeper
keeper.main()
"""


class UnavailableError(Exception):
    """No sandbox can be started here."""


@dataclass(eq=False)
class Call:
    """A body to run, ready for the wire. `result` is set exactly once, unless the call is given up while it waits."""

    body: str
    order: bytes
    limits: Limits
    result: "Future[Result]" = field(default_factory=Future)
    since: float = field(default_factory=time.monotonic)

    @property
    def places(self) -> int:
        """How many it takes while it waits."""
        return 1 + len(self.order) // PLACE_BYTES


def processes() -> int:
    """How many sandboxes one host process runs side by side."""
    return env.number("JAVASCRIPT_PROCESSES", 2, least=1, most=64)


class Host:
    """One keeper, started when it is first needed and anew when it ended, and the queue in front of it."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.keeper: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._numbers = itertools.count(1)
        self._turns: Turns[Call] = Turns(most=MOST_WAITING, each=EACH_WAITING)
        self._running: dict[int, Call] = {}
        self._door: socket.socket | None = None

    def submit(self, call: Call, *, tenant: Hashable, part: Hashable = None) -> None:
        """Let the call wait for its turn. What becomes of it is its result, always."""
        try:
            with self._lock:
                lost = self._turns.put(tenant, call, part=part, places=call.places)
        except FullError:
            call.result.set_result(refused("busy", BUSY))
            return
        for other in lost:
            if other.result.set_running_or_notify_cancel():
                other.result.set_result(refused("busy", BUSY))
        self._hand_out()

    def warm(self) -> None:
        """Start the keeper now, so that the first call finds sandboxes waiting. Raises UnavailableError."""
        with self._lock:
            self._open()

    def close(self, *, kill: bool = False) -> None:
        """End the keeper and all sandboxes, and wait until it is gone. What runs and what waits is `unavailable`.

        With `kill`, end a keeper that does not answer: what waits is given to the next one.
        """
        with self._lock:
            keeper, self.keeper = self.keeper, None
            door, self._door = self._door, None
            ended = self._take_running() if kill else self._take_running() + self._take_waiting()
        if keeper and door:
            _end(keeper, door, kill=kill)
        _fail(ended, "The sandboxes were stopped.")
        self._hand_out()

    def abandon(self) -> None:
        """In a fork: let go of the parent's keeper, which is not ours. This object is of no use afterwards."""
        if self.keeper and self._door:
            self._door.close()
            self.keeper.returncode = 0

    def _hand_out(self) -> None:
        """Give the keeper as many calls as it has sandboxes for."""
        while True:
            with self._lock:
                if len(self._running) >= self.slots or not len(self._turns):
                    return
                call = self._turns.take()
                if not call.result.set_running_or_notify_cancel():
                    continue  # given up meanwhile
                refusal, number = self._begin(call)
            if refusal:
                call.result.set_result(refusal)
            else:
                self._send(number, call)

    def _begin(self, call: Call) -> tuple[Result | None, int]:
        """Count it among those that run, or say why it cannot. Our lock is held."""
        if time.monotonic() - call.since > WAIT_S:
            return refused("busy", BUSY), 0
        try:
            self._open()
        except UnavailableError as error:
            return refused("unavailable", str(error)), 0
        number = next(self._numbers)
        self._running[number] = call
        return None, number

    def _send(self, number: int, call: Call) -> None:
        limits, door = call.limits, self._door
        if door is None:  # closed meanwhile, and the call with it
            return
        head = frames.CALL.pack(
            number, round(limits.timeout_s * 1000), limits.memory_bytes, limits.output_bytes, len(call.order)
        )
        try:
            with self._sending:
                door.sendall(head + call.order)
        except OSError:  # it ended, or does not read: whoever listens at the door hears of it
            with contextlib.suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)

    def _open(self) -> socket.socket:
        """Give the door of a keeper that lives. Our lock is held."""
        if self._door is None:
            keeper, door = _start(self.slots)
            try:
                threading.Thread(target=self._listen, args=[door], name="javascript", daemon=True).start()
            except RuntimeError:
                _end(keeper, door, kill=True)
                raise UnavailableError("No sandbox can be started here: there is no thread left.") from None
            self.keeper, self._door = keeper, door
        return self._door

    def _listen(self, door: socket.socket) -> None:
        heard = False
        with contextlib.suppress(EOFError, OSError):
            while True:
                number, word, seconds, length = frames.ANSWER.unpack(frames.read(door, frames.ANSWER.size))
                answer = frames.read(door, length)
                heard = True
                try:
                    self._answered(number, word, seconds, answer)
                    self._hand_out()
                except Exception:  # one call's trouble: without this thread every other call would wait for nothing
                    logger.exception("What a sandbox answered could not be passed on.")
        self._lost(door, heard=heard)

    def _answered(self, number: int, word: int, seconds: float, answer: bytes) -> None:
        with self._lock:
            call = self._running.pop(number, None)
        if call is None:
            return
        try:
            if word == frames.ANSWERED:
                result = answered(answer, call.limits, body=call.body, seconds=seconds)
            else:
                result = killed(word, call.limits, seconds)
        except BaseException as error:  # whoever waits hears of it
            call.result.set_exception(error)
            raise
        call.result.set_result(result)

    def _lost(self, door: socket.socket, *, heard: bool) -> None:
        """The keeper ended without being asked to. One that never answered would not do so the next time either."""
        with self._lock:
            if self._door is not door:
                return
            keeper, self.keeper, self._door = self.keeper, None, None
            lost = self._take_running()
            if not heard:
                lost += self._take_waiting()
        if keeper:
            _end(keeper, door, kill=True)
        _fail(lost, "The sandboxes ended unexpectedly, or cannot be started here.")
        self._hand_out()

    def _take_running(self) -> list[Call]:
        running = list(self._running.values())
        self._running.clear()
        return running

    def _take_waiting(self) -> list[Call]:
        return [call for call in self._turns.empty() if call.result.set_running_or_notify_cancel()]


def _fail(calls: list[Call], sentence: str) -> None:
    for call in calls:
        call.result.set_result(refused("unavailable", sentence))


def _start(slots: int) -> tuple[subprocess.Popen[bytes], socket.socket]:
    found = importlib.util.find_spec("py_mini_racer")
    if found is None or found.origin is None:
        raise UnavailableError("mini-racer is not installed: no JavaScript can be run here.")
    site = Path(found.origin).parents[1]
    try:
        ours, theirs = socket.socketpair()
    except OSError as error:
        raise UnavailableError(f"No sandbox can be started here: {error.strerror}.") from None
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _TAKES_WITHIN)
    try:
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _START, str(slots), str(_FOLDER), str(site)],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            cwd="/",
            env={"TZ": "UTC", "LANG": "C.UTF-8"},  # nothing of ours, whatever it is
            start_new_session=True,  # a Ctrl-C at the terminal reaches the host alone
        )
    except OSError as error:
        ours.close()
        raise UnavailableError(f"No sandbox can be started here: {error.strerror}.") from None
    finally:
        theirs.close()
    return keeper, ours


def _end(keeper: subprocess.Popen[bytes], door: socket.socket, *, kill: bool) -> None:
    with contextlib.suppress(OSError):
        door.shutdown(socket.SHUT_RDWR)
    door.close()
    if kill:
        keeper.kill()
    try:
        keeper.wait(5)
    except subprocess.TimeoutExpired:
        keeper.kill()
        keeper.wait()


class _OwnHost:
    """The host of this process: made when it is first asked for, and never a parent's."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.host: Host | None = None

    def get(self) -> Host:
        with self.lock:
            if self.host is None:
                self.host = Host(processes())
            return self.host

    def close(self) -> None:
        if self.host:
            self.host.close()

    def abandon(self) -> None:
        self.lock = threading.Lock()
        if self.host:
            self.host.abandon()
            self.host = None


own = _OwnHost()
atexit.register(own.close)
os.register_at_fork(after_in_child=own.abandon)
