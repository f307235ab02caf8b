"""A process that runs definitions' code, as the worker sees it."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys

from django.conf import settings

from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.pipe import MOST_BYTES, READY, STOP, RubbishError, Work, came_in
from badgerjobs.runs.processes.prints import Prints

# Setting Django up takes a second; what takes a minute hangs.
SETUP_S = 60.0
# How long code that was told to stop has for it.
GRACE_S = 10.0
# How often it is looked whether one that closed its pipe has ended, and for how many seconds.
_LOOK_S, _LOOKED_FOR_S = 0.01, 1.0

UNHEARD = "The process that runs the code cannot be listened to"
RUBBISH = "The process that ran the code wrote something into its pipe that is no answer."


class LostError(Exception):
    """It gave no answer. The message is a sentence."""


class UnreadyError(Exception):
    """It never came so far as to be given the work. The message is a sentence."""


class Child:
    """One process, and one work at a time. It sets Django up while nobody waits for it yet.

    Starting one blocks for some milliseconds, as forking does. The kernel ends it when this thread ends.
    """

    def __init__(self, *, grace_s: float = GRACE_S) -> None:
        self.works = 0  # how many it was given
        self.is_fit = True  # for more
        self._grace_s = grace_s
        self._is_open = self._is_ready = self._is_stopped = False
        self._limit: asyncio.Timeout | None = None
        self._door, theirs = socket.socketpair()
        self._out, out = os.pipe()
        try:
            self._process = _start(theirs.fileno(), out)
        except OSError:
            self._door.close()
            os.close(self._out)
            raise
        finally:
            theirs.close()
            os.close(out)
        self.pid = self._process.pid

    async def perform(self, work: Work) -> Came:
        """Have it done. Never raises; afterwards it is fit for more, or to be ended."""
        try:
            if not self._is_ready:
                await self._open()
                await self._until_ready()
            if self._is_stopped:
                return Came("aborted")
            return await self._answer(work)
        except TimeoutError:
            return Came("timeout", f"It took longer than {work.timeout_s:g} s, and its process was ended.")
        except UnreadyError as error:
            return Came("unready", str(error))
        except (LostError, RubbishError) as error:
            return Came("crashed", str(error) or RUBBISH)
        except OSError as error:
            return Came("crashed", f"{UNHEARD}: {error.strerror}.")
        finally:
            self._limit, self._is_stopped = None, False

    def stop(self) -> None:
        """Tell it to give up its work. It has a moment for that, and is ended then."""
        self._is_stopped = True
        if (limit := self._limit) and not limit.expired():
            self._writer.write(STOP)
            grace = asyncio.get_running_loop().time() + self._grace_s
            limit.reschedule(min(grace, limit.when() or grace))

    @property
    def lives(self) -> bool:
        """Whether it could do more, when it has nothing to do: nobody knows before it is asked."""
        return self.is_fit and not self._reader.at_eof() and self._ended() is None

    def kill(self) -> None:
        """End it as it stands, and what it has started that has not set itself apart. To be called before `end`."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)  # nobody has reaped it yet: the number is its own

    async def end(self) -> None:
        """Kill it, wait until it is gone, and let go of its pipes. Once, after it performed something."""
        self.is_fit = False
        self.kill()
        await asyncio.to_thread(self._process.wait)
        if not self._is_open:
            return
        self._writer.close()
        with contextlib.suppress(TimeoutError):  # what has its end of the pipe may live on
            await asyncio.wait_for(self._printing, _LOOKED_FOR_S)
        self._transport.close()

    async def _open(self) -> None:
        self.is_fit = False
        pipe = os.fdopen(self._out, "rb", 0)
        with contextlib.ExitStack() as given_up:
            given_up.callback(pipe.close)
            given_up.callback(self._door.close)
            self._reader, self._writer = await asyncio.open_connection(sock=self._door, limit=MOST_BYTES)
            given_up.callback(self._writer.close)
            stream = asyncio.StreamReader()
            protocol = asyncio.StreamReaderProtocol(stream)
            self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, pipe)
            given_up.pop_all()
        self._printing = asyncio.create_task(Prints(self.pid).pass_on(stream))
        self._is_open = True

    async def _until_ready(self) -> None:
        try:
            async with asyncio.timeout(SETUP_S):
                line = await self._read()
        except TimeoutError:
            raise UnreadyError(f"The process that runs the code was not ready after {SETUP_S:g} s.") from None
        if line != READY:
            raise RubbishError
        self._is_ready = self.is_fit = True

    async def _answer(self, work: Work) -> Came:
        self.is_fit = False
        self.works += 1
        async with asyncio.timeout(work.timeout_s) as self._limit:
            with contextlib.suppress(ConnectionError):  # it has ended: reading says how
                self._writer.write(work.line())
                await self._writer.drain()
            while (came := came_in(await self._read(), work.nonce)) is None:
                pass
        self.is_fit = True
        return came

    async def _read(self) -> bytes:
        try:
            line = await self._reader.readline()
        except ValueError:  # longer than any message
            raise RubbishError from None
        except ConnectionError:
            line = b""
        if not line.endswith(b"\n"):
            raise LostError(f"The process that ran the code {await self._ending()} before it answered.")
        return line

    async def _ending(self) -> str:
        """In words, how it ended."""
        for _ in range(round(_LOOKED_FOR_S / _LOOK_S)):
            if found := self._ended():
                return found
            await asyncio.sleep(_LOOK_S)
        return "closed its pipe"

    def _ended(self) -> str | None:
        """How it ended, in words; None while it lives. Does not reap it: until then its number is nobody else's."""
        found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        return None if found is None else _in_words(found.si_code, found.si_status)


def _in_words(code: int, status: int) -> str:
    if code == os.CLD_EXITED:
        return f"ended with status {status}"
    return f"was ended by {signal.Signals(status).name}"


def _start(door: int, out: int) -> subprocess.Popen[bytes]:
    manage = str(settings.BASE_DIR / "manage.py")
    return subprocess.Popen(
        [sys.executable, manage, "code_process", str(door), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=out,
        pass_fds=[door],
        process_group=0,  # a Ctrl-C at the terminal reaches the worker alone; and all of it can be ended
    )
