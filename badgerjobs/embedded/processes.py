"""Processes that do not outlive who started them, the account they run as, and the ones left over from before."""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_LIBC = (
    ctypes.CDLL(None) if sys.platform == "linux" else None
)  # loaded here: nothing may be loaded between fork and exec


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Program:
    """Something to run: what, as whom, where, how it is stopped, and what to clear away before each start.

    `account` None is our own; `environment` is added to ours, except with an account, which gets nothing else.
    """

    name: str
    command: Sequence[str]
    account: "Account | None" = None
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    told: str = ""  # on standard input, where no list of processes and no file shows it; a few kilobytes at most
    hushed: Sequence[str] = ()  # lines of its output that hold one of these are not shown
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: signal.Signals = signal.SIGKILL  # what it gets when we are killed
    clear: Callable[[], None] = _nothing


@dataclass(frozen=True)
class Account:
    """A user of this machine that servers run as when we are root."""

    name: str
    uid: int
    gid: int

    def owns(self, path: Path) -> None:
        """Give it a file or a folder."""
        os.chown(path, self.uid, self.gid)

    def stopped_at(self, path: Path) -> Path | None:
        """Find the first folder above `path` that does not let this account through; None when all do."""
        for folder in reversed(path.resolve().parents):
            found = folder.stat()
            bit = 0o100 if found.st_uid == self.uid else 0o010 if found.st_gid == self.gid else 0o001
            if not found.st_mode & bit:
                return folder
        return None


def server_account(data: Path) -> Account | None:
    """Choose who runs the servers. None: we do. As root, who owns `data` already, else `postgres`, else `nobody`.

    PostgreSQL refuses to run as root, and initdb wants an account with a name.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat().st_uid) != 0:
        try:
            found = pwd.getpwuid(owner)
        except KeyError:
            return Account(str(owner), owner, data.stat().st_gid)
        return Account(found.pw_name, found.pw_uid, found.pw_gid)
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_name, found.pw_uid, found.pw_gid)
    raise LookupError("PostgreSQL refuses to run as root, and there is neither an account `postgres` nor `nobody`.")


def spawn(program: Program, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that a Ctrl-C at the terminal reaches us alone.

    It gets `program.orphan_signal` when we die, however we die. The kernel binds that to the starting thread: call this
    from the main thread. Runs `program.clear` first.
    """
    program.clear()
    parent, orphan_signal = os.getpid(), int(program.orphan_signal)

    def die_with_us() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, orphan_signal)
        if os.getppid() != parent:  # we died before the kernel was told
            os._exit(1)

    account = program.account
    with _already_written(program.told) as told:
        return subprocess.Popen(
            program.command,
            stdin=told,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=program.folder,
            env={**({"PATH": os.defpath} if account else os.environ), **program.environment},
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            start_new_session=True,
            preexec_fn=die_with_us,  # noqa: PLW1509  safe: it calls the kernel and takes no lock
        )


@contextlib.contextmanager
def _already_written(text: str) -> Iterator[int]:
    """Give the reading end of a pipe that holds `text` and its end: what fits into a pipe needs nobody who feeds it."""
    ours, theirs = os.pipe()
    with os.fdopen(theirs, "w") as pipe:
        pipe.write(text)
    try:
        yield ours
    finally:
        os.close(ours)


def end_with_parent() -> None:
    """Get SIGTERM ourselves when the process that started us ends."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))


def working_in(folder: Path, executable: str) -> list[int]:
    """List the processes whose current folder is `folder` and whose program's file has this name."""
    wanted = folder.resolve()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            # A program whose file was replaced since (a new venv) reads "…/postgres (deleted)".
            name = Path((process / "exe").readlink()).name.removesuffix(" (deleted)")
            if name == executable and (process / "cwd").readlink() == wanted:
                found.append(int(process.name))
        except OSError:  # gone meanwhile, or somebody else's
            continue
    return found


def marked(variable: str, value: str) -> list[int]:
    """List the processes, ourselves left out, that were started with this environment variable at this value."""
    wanted = f"{variable}={value}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


def kill_all(pids: Iterable[int], *, seconds: float = 5) -> None:
    """SIGKILL them and wait until they are gone or dead; raises TimeoutError after `seconds`."""
    left = set(pids)
    for pid in left:
        _signal(pid, signal.SIGKILL)
    deadline = time.monotonic() + seconds
    while left := {pid for pid in left if is_alive(pid)}:
        if time.monotonic() > deadline:
            raise TimeoutError(f"Killed, but still there after {seconds} s: {sorted(left)}")
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether there is such a process that is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1] not in b"ZX"
    except OSError:
        return False


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
