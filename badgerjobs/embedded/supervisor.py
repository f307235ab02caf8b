"""Keeps programs running, shows what they say, and ends them in order.

One thread and one loop: programs must be started by the main thread (see `processes.spawn`), and what is read, reaped
and restarted in one place needs no locks.
"""

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any, Self

from badgerjobs.embedded.layout import DataDirectoryError
from badgerjobs.embedded.lines import Log, Pipe
from badgerjobs.embedded.processes import Program, spawn

# One that dies again and again is started after growing pauses; one that lived for a while begins anew.
FIRST_PAUSE, LONGEST_PAUSE, LIVED_WELL = 0.2, 10.0, 30.0
# One that died so often in a row while it was waited for will not come. The pauses until then add up to 6 s: a killed
# PostgreSQL's zombie blocks its successor for a second, and for longer on a busy machine.
HOPELESS = 6

_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stopped(Exception):  # noqa: N818  no error: somebody asked for it
    """SIGTERM, SIGINT or SIGHUP came, or nobody reads our output any more."""


@dataclass(eq=False)
class Child:
    """A program, with its process while it has one."""

    program: Program
    is_kept: bool
    process: subprocess.Popen[bytes] | None = None
    pipe: Pipe | None = None
    started: float = 0.0
    deaths: int = 0
    start_again_at: float | None = None


class Supervisor:
    """Use it as a context: however it is left, everything that was started is ended, the last group first."""

    def __init__(self) -> None:
        self.log = Log()
        self._groups: list[list[Child]] = []
        self._is_stopping = False
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Take the signals over."""
        for end in (self._wake, self._woken):
            end.settimeout(0)
        self._selector.register(self._woken, selectors.EVENT_READ)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._ask_to_stop) for number in _STOPS}
        # A handler that does nothing, so that the death of a child wakes the loop.
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        """End what is still there, and give the signals back."""
        self.stop()
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._selector.close()
        self._wake.close()
        self._woken.close()

    def start(self, *programs: Program) -> None:
        """Start programs and keep them running. They are one group: ended together, before those started earlier."""
        group = [Child(program, is_kept=True) for program in programs]
        self._groups.append(group)
        for child in group:
            self._start(child)

    def run(self, program: Program) -> int:
        """Run a program to its end and return its status, as `subprocess` counts it. Raises Stopped, OSError."""
        child = Child(program, is_kept=False)
        self._groups.append([child])
        process = self._start(child)
        while child.process:
            self._turn(60)
        self._groups.remove([child])
        return process.returncode if process else 127

    def wait_until(self, ready: Callable[[], bool], *, what: str, seconds: float) -> None:
        """Come back when `ready()`. Raises Stopped; TimeoutError when time is up or a program keeps dying."""
        deadline = time.monotonic() + seconds
        while not ready():
            self._turn(0.05)
            for child in self._children():
                if child.deaths >= HOPELESS:
                    raise TimeoutError(f"{child.program.name} keeps dying: its lines above may say why.")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} was not ready after {seconds:.0f} s.")

    def watch(self) -> None:
        """Keep everything running until it raises Stopped."""
        while True:
            self._turn(60)

    def stop(self, *, seconds: float = 9.5) -> float:
        """End every group, the last first; SIGKILL what would take longer than `seconds` in all.

        Returns how many seconds it took. A signal that comes meanwhile changes nothing.
        """
        self._is_stopping = True
        began = time.monotonic()
        deadline = began + seconds
        while self._groups:
            # Each group before this one keeps a second for itself.
            self._end(self._groups[-1], deadline - (len(self._groups) - 1))
            self._groups.pop()
        return time.monotonic() - began

    def _end(self, group: list[Child], deadline: float) -> None:
        for child in group:
            if child.process:
                # Not by Popen, which would reap one that has just died, and leave its group to whoever gets its number.
                os.kill(child.process.pid, child.program.stop_signal)
        while any(child.process for child in group) and (left := deadline - time.monotonic()) > 0:
            self._pump(left)
        for child in group:
            if child.process:
                self.log.say(f"{child.program.name} does not stop and is killed", "up")
                os.kill(child.process.pid, signal.SIGKILL)
                self._bury(child)
                with contextlib.suppress(DataDirectoryError, OSError):
                    child.program.clear()  # its own children, where they are not of its process group

    def _turn(self, seconds: float) -> None:
        due = [child.start_again_at for child in self._children() if child.start_again_at is not None]
        self._pump(max(0.0, min([seconds, *(at - time.monotonic() for at in due)])))
        if self._is_stopping or not self.log.is_read:
            raise Stopped
        for child in self._children():
            if child.start_again_at is not None and child.start_again_at <= time.monotonic():
                self._start(child)

    def _pump(self, seconds: float) -> None:
        """Pass on what is said, and notice who died, for at most so many seconds."""
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, Child):
                self._pass_on(key.data)
            else:
                with contextlib.suppress(BlockingIOError):
                    self._woken.recv(4096)
        for child in self._children():
            # Looked at here and reaped after its group is killed: until then, no stranger can have its number.
            if child.process and os.waitid(os.P_PID, child.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                self._bury(child)

    def _children(self) -> list[Child]:
        return [child for group in self._groups for child in group]

    def _start(self, child: Child) -> subprocess.Popen[bytes] | None:
        child.start_again_at = None
        child.started = time.monotonic()
        pipe = Pipe()
        try:
            child.process = spawn(child.program, pipe.theirs)
        except (OSError, DataDirectoryError, subprocess.SubprocessError) as error:
            pipe.close()
            self._start_again(child, f"cannot be started ({error})")
            return None
        finally:
            os.close(pipe.theirs)
        child.pipe = pipe
        self._selector.register(pipe, selectors.EVENT_READ, child)
        return child.process

    def _pass_on(self, child: Child) -> None:
        if child.pipe is None:
            return
        descriptor = child.pipe.fileno()
        for line in child.pipe.read():
            if not any(words in line for words in child.program.hushed):
                self.log.say(line, child.program.name)
        if not child.pipe.is_open:
            self._selector.unregister(descriptor)
            child.pipe = None

    def _bury(self, child: Child) -> None:
        """Take leave of a dead process: end what it started, pass on its last words, start it again if it is kept."""
        if child.process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, signal.SIGKILL)
        status = child.process.wait()
        child.process = None
        self._pass_on(child)
        if child.pipe:  # still held open by something in a session of its own
            self._selector.unregister(child.pipe)
            child.pipe.close()
            child.pipe = None
        if child.is_kept and not self._is_stopping:
            how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
            self._start_again(child, how)

    def _start_again(self, child: Child, how: str) -> None:
        if not child.is_kept:
            self.log.say(f"{child.program.name} {how}", "up")
            return
        if time.monotonic() - child.started > LIVED_WELL:
            child.deaths = 0
        pause = min(FIRST_PAUSE * 2**child.deaths, LONGEST_PAUSE)
        child.deaths += 1
        child.start_again_at = time.monotonic() + pause
        self.log.say(f"{child.program.name} {how}; it is started again in {pause:.1f} s", "up")

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_stopping = True
