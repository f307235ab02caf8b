"""The sandbox itself: a process that makes one context of V8, runs one body in it, and ends.

It is forked by the keeper, which has no connection, no secret and no thread. It has two open files: its socket, and
/dev/null. Knows neither Django nor the rest of Badger Jobs.
"""

import asyncio
import ctypes
import json
import math
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from py_mini_racer import JSParseException, MiniRacer, init_mini_racer

from badgerjobs.lib.javascript import frames
from badgerjobs.lib.javascript.spent import on_the_wall

# No machine code is made while it runs: most of what ever broke out of V8 came that way, and short bodies lose nothing.
# WebAssembly is gone with it. A small nursery keeps what is thrown away soon from growing to what counts as too much.
FLAGS = ("--single-threaded", "--jitless", "--max-semi-space-size=4")
PRELUDE = (Path(__file__).parent / "prelude.js").read_text()

# Once through before anybody waits: V8 compiles what it has not met, and a fork copies each page that it first writes.
_REHEARSAL = json.dumps({"names": "a", "body": "return {a}", "values": "[[1]]", "output": 99})

# Beside what the body may take: stacks, tables, a collection that copies. The keeper kills long before.
_ROOM = 32 * 1024 * 1024
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


def prepare() -> None:
    """Load V8, once, in the keeper: every sandbox begins with it. Starts no thread: a fork would lack it."""
    init_mini_racer(flags=FLAGS)


def serve(door: socket.socket, keeper: int) -> None:
    """Be a sandbox: wait for one call at this door, answer it. Never returns."""
    status = 70
    try:
        _leave_all_behind(door, keeper)
        asyncio.run(_serve_one(socket.socket(fileno=0)))
        status = 0
    finally:
        os._exit(status)


def _leave_all_behind(door: socket.socket, keeper: int) -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        with suppress(OSError):  # when the machine runs out of memory, we are the first to go
            Path("/proc/self/oom_score_adj").write_text("1000")
    if os.getppid() != keeper:  # it was gone before the kernel was told
        os._exit(0)
    os.dup2(door.fileno(), 0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


async def _serve_one(door: socket.socket) -> None:
    # Nothing here waits as coroutines do. But where a loop is running mini-racer starts no thread for one of its own,
    # and a call takes half the way.
    racer = MiniRacer()
    begin, finish = cast("Iterable[Callable[..., Any]]", racer.eval(PRELUDE))
    begin(_REHEARSAL)
    finish()
    for limit in ("CORE", "FSIZE", "NOFILE", "NPROC"):  # no file, socket, process or thread from here on
        with suppress(ValueError, OSError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{limit}"), (0, 0))
    door.sendall(frames.READY)
    timeout_ms, memory, _, length = frames.ORDER.unpack(frames.read(door, frames.ORDER.size))
    order = frames.read(door, length).decode("ascii")
    _limit(timeout_ms / 1000, memory)
    start = time.perf_counter()
    text = _run(racer, begin, finish, order)
    door.sendall(frames.REPLY.pack(time.perf_counter() - start, len(text)) + text)
    with suppress(OSError):
        door.recv(1)  # until the keeper has read it all and ends us


def _run(racer: MiniRacer, begin: Callable[..., Any], finish: Callable[..., Any], order: str) -> bytes:
    if begin(order):
        return str(finish()).encode()
    # It does not compile. Where, only the parser of a whole script says; this one would throw before it came to it.
    said = json.loads(order)
    names, body = said["names"], _well_formed(said["body"])
    try:
        racer.eval(f"throw 0;(async function anonymous({names}\n) {{\n{body}\n}})")
    except JSParseException as error:
        return json.dumps({"syntax": str(error)[:20_000]}).encode()
    except Exception:  # noqa: S110  it parses there: too deep for the one, say
        pass
    return str(finish()).encode()


def _well_formed(text: str) -> str:
    """A lone surrogate has no UTF-8, and V8 is given UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _limit(seconds: float, memory: int) -> None:
    """Limits that the kernel holds, should the keeper be late: a little above those that it holds itself."""
    for sign in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(sign, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, on_the_wall(seconds) + 0.1)
    signal.setitimer(signal.ITIMER_PROF, seconds + 0.1)
    processor = math.ceil(seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))
    with suppress(OSError):
        writable = int(Path("/proc/self/statm").read_bytes().split()[5]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_DATA, (writable + memory + _ROOM,) * 2)
