"""The keeper: a small process that forks sandboxes ahead, hands them calls, and kills by time and by resident memory.

It is started afresh (never forked from web or worker), so it holds no connection and no secret, and neither do its
forks. It shares no interpreter with anything busy: what it must see in a millisecond, it sees. It ends when its host
does, and takes all sandboxes along.
"""

import os
import resource
import selectors
import signal
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from badgerjobs.lib.javascript import frames, inside
from badgerjobs.lib.javascript.spent import on_the_wall, processor_s

_LOOK_EVERY = 0.003  # seconds between two looks at what running sandboxes take
_REAP_EVERY = 0.01
_HOST_EVERY = 1.0  # seconds between two looks whether the host is there, when nothing happens
_BEGIN_WITHIN = 20.0  # seconds until a new sandbox is ready
_STILLBORN = 10  # sandboxes in a row that ended before they were ready: it does not work here, and the host is told
_PAGE = resource.getpagesize()
# It ended by itself, by one of the limits that the kernel holds.
_BY_TIME = {signal.SIGALRM, signal.SIGPROF, signal.SIGXCPU}


@dataclass
class Call:
    number: int
    timeout_ms: int
    memory: int
    output: int
    order: bytes


@dataclass(frozen=True)
class Taken:
    """Bytes of memory: of its own, and with what it shares with files and with other sandboxes."""

    own: int
    all: int


@dataclass
class Sandbox:
    pid: int
    door: socket.socket
    until: float  # monotonic: when it must be ready, or may have had its time
    ready: bool = False
    taken: Taken = Taken(0, 0)  # before the call
    call: Call | None = None
    began: float = 0.0
    spent: float = 0.0  # seconds of the processor, before the call
    reply: bytearray = field(default_factory=bytearray)


def main() -> None:
    """Serve the host whose socket is this process's standard input, until it closes it or ends."""
    processes = int(sys.argv[1])
    inside.prepare()
    Keeper(socket.socket(fileno=os.dup(0)), processes).serve()


class Keeper:
    def __init__(self, host: socket.socket, processes: int) -> None:
        self.host = host
        self.host.settimeout(0)
        self.parent = os.getppid()
        self.processes = processes
        self.inbox, self.outbox = bytearray(), bytearray()
        self.waiting: deque[Call] = deque()
        self.idle: deque[Sandbox] = deque()
        self.running: list[Sandbox] = []
        self.leaving: set[int] = set()
        self.stillborn = 0
        self.selector = selectors.DefaultSelector()
        self.selector.register(host, selectors.EVENT_READ)

    def serve(self) -> None:
        try:
            while os.getppid() == self.parent:
                self._turn()
        except (EOFError, ConnectionError):
            pass
        finally:
            for sandbox in (*self.idle, *self.running):
                self._drop(sandbox)
            while self.leaving:
                os.waitpid(self.leaving.pop(), 0)

    def _turn(self) -> None:
        events = self.selector.select(self._patience())
        for key, ready in events:
            if key.fileobj is self.host:
                self._meet_host(ready)
        for key, _ in events:
            if isinstance(key.data, Sandbox):
                self._hear(key.data)
        self._look()
        self._hand_out()
        self._reap()
        self._stock(quiet=not events or not self.running)

    def _patience(self) -> float:
        if self.running:
            return _LOOK_EVERY
        if len(self.idle) < self.processes:
            return 0.0  # there are more to make
        return _REAP_EVERY if self.leaving else _HOST_EVERY

    def _meet_host(self, ready: int) -> None:
        """Take what it sends and send what it takes. Neither waits: sandboxes must be looked at meanwhile."""
        if ready & selectors.EVENT_READ:
            part = self.host.recv(1 << 18)
            if not part:
                raise EOFError
            self.inbox += part
            while call := self._call():
                self.waiting.append(call)
        if self.outbox and ready & selectors.EVENT_WRITE:
            self._send()

    def _call(self) -> Call | None:
        if len(self.inbox) < frames.CALL.size:
            return None
        *head, length = frames.CALL.unpack_from(self.inbox)
        end = frames.CALL.size + length
        if len(self.inbox) < end:
            return None
        order = bytes(self.inbox[frames.CALL.size : end])
        del self.inbox[:end]
        number, timeout_ms, memory, output = head
        return Call(number, timeout_ms, memory, output, order)

    def _send(self) -> None:
        with suppress(BlockingIOError):
            del self.outbox[: self.host.send(self.outbox)]
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.outbox else 0)
        if events != self.selector.get_key(self.host).events:
            self.selector.modify(self.host, events)

    def _fork(self) -> Sandbox:
        ours, theirs = socket.socketpair()
        keeper = os.getpid()
        pid = os.fork()
        if pid == 0:
            inside.serve(theirs, keeper)
        theirs.close()
        sandbox = Sandbox(pid, ours, until=time.monotonic() + _BEGIN_WITHIN)
        self.selector.register(ours, selectors.EVENT_READ, sandbox)
        return sandbox

    def _hand_out(self) -> None:
        while self.waiting:
            sandbox = next((sandbox for sandbox in self.idle if sandbox.ready), None)
            if sandbox is None:
                return
            self.idle.remove(sandbox)
            self.running.append(sandbox)
            self._begin(sandbox, self.waiting.popleft())

    def _stock(self, *, quiet: bool) -> None:
        """Fork those that are waited for; one ahead, when nobody waits for an answer that the fork would hold up."""
        while len(self.idle) < len(self.waiting):
            self.idle.append(self._fork())
        if quiet and len(self.idle) < self.processes:
            self.idle.append(self._fork())

    def _begin(self, sandbox: Sandbox, call: Call) -> None:
        sandbox.call, sandbox.taken = call, resident(sandbox.pid)
        sandbox.spent = processor_s(sandbox.pid) or 0.0
        head = frames.ORDER.pack(call.timeout_ms, call.memory, call.output, len(call.order))
        with suppress(OSError):  # it ended: that is heard at its door
            sandbox.door.settimeout(1)  # it reads at once: nothing of a customer's runs in it yet
            sandbox.door.sendall(head + call.order)
        sandbox.door.settimeout(0)
        sandbox.began = time.monotonic()
        sandbox.until = sandbox.began + call.timeout_ms / 1000

    def _hear(self, sandbox: Sandbox) -> None:
        try:
            part = sandbox.door.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            part = b""
        if not part:
            self._died(sandbox)
        elif sandbox.call is None:
            sandbox.ready = True
            self.stillborn = 0
        else:
            sandbox.reply += part
            self._weigh(sandbox, sandbox.call)

    def _weigh(self, sandbox: Sandbox, call: Call) -> None:
        """Pass on an answer that is whole; end one that is too long at what its first bytes say."""
        if len(sandbox.reply) < frames.REPLY.size:
            return
        seconds, length = frames.REPLY.unpack_from(sandbox.reply)
        if length > 3 * call.output + frames.MOST_BESIDE:
            self._end(sandbox, frames.OUTPUT)
        elif len(sandbox.reply) >= frames.REPLY.size + length:
            self._end(sandbox, frames.ANSWERED, bytes(sandbox.reply[frames.REPLY.size :][:length]), seconds)

    def _look(self) -> None:
        now = time.monotonic()
        for sandbox in list(self.running):
            call = sandbox.call
            if call is None:
                continue
            if now >= sandbox.until and _has_had_its_time(sandbox, call, now):
                self._end(sandbox, frames.TIMEOUT)
            elif resident(sandbox.pid).own - sandbox.taken.own > call.memory:
                self._end(sandbox, frames.MEMORY)
        for sandbox in [sandbox for sandbox in self.idle if not sandbox.ready and now >= sandbox.until]:
            self._drop(sandbox)

    def _died(self, sandbox: Sandbox) -> None:
        """Tell what ended it: one of the kernel's limits, or itself."""
        status, peak = _wait(sandbox.pid)
        sandbox.pid = 0
        if sandbox.call is None:
            self._drop(sandbox)
            self.stillborn += 1
            if self.stillborn > _STILLBORN:
                raise EOFError("no sandbox can be made here")
        elif os.WIFSIGNALED(status) and os.WTERMSIG(status) in _BY_TIME:
            self._end(sandbox, frames.TIMEOUT)
        elif peak - sandbox.taken.all > sandbox.call.memory // 2:
            self._end(sandbox, frames.MEMORY)  # V8 ends its process when it is given no more
        else:
            self._end(sandbox, frames.CRASHED)

    def _end(self, sandbox: Sandbox, word: int, answer: bytes = b"", seconds: float = 0.0) -> None:
        if call := sandbox.call:  # whoever waits is told first
            seconds = seconds or time.monotonic() - sandbox.began
            self.outbox += frames.ANSWER.pack(call.number, word, seconds, len(answer)) + answer
            self._send()
        self._drop(sandbox)

    def _drop(self, sandbox: Sandbox) -> None:
        if sandbox in self.running:
            self.running.remove(sandbox)
        else:
            self.idle.remove(sandbox)
        self.selector.unregister(sandbox.door)
        sandbox.door.close()
        if sandbox.pid:
            os.kill(sandbox.pid, signal.SIGKILL)  # not waited for yet, so the number is still its own
            self.leaving.add(sandbox.pid)

    def _reap(self) -> None:
        self.leaving = {pid for pid in self.leaving if os.waitpid(pid, os.WNOHANG)[0] == 0}


def _has_had_its_time(sandbox: Sandbox, call: Call, now: float) -> bool:
    """Whether it got its time of the processor. What gets none ends by the clock on the wall."""
    most = call.timeout_ms / 1000
    spent = processor_s(sandbox.pid)
    return spent is None or spent - sandbox.spent >= most or now - sandbox.began >= on_the_wall(most)


def resident(pid: int) -> Taken:
    """What a process keeps resident. Nothing where there is no /proc, or when it has just ended."""
    try:
        _, pages, shared, *_ = Path(f"/proc/{pid}/statm").read_bytes().split()
    except (OSError, ValueError):
        return Taken(0, 0)
    return Taken((int(pages) - int(shared)) * _PAGE, int(pages) * _PAGE)


def _wait(pid: int) -> tuple[int, int]:
    """Wait for one that closed its door, and so has ended or must. Gives its status, and the most that it took."""
    until = time.monotonic() + 0.1
    while True:
        found, status, usage = os.wait4(pid, os.WNOHANG)
        if found:
            return status, usage.ru_maxrss * 1024
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.001)
