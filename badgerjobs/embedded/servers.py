"""Both embedded servers for as long as a block lasts: for tests, checks and benchmarks."""

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from badgerjobs.embedded.layout import Layout
from badgerjobs.embedded.postgres import Postgres
from badgerjobs.embedded.processes import spawn
from badgerjobs.embedded.valkey import Valkey

# Data that lives as long as the block needs no care for a power cut.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


@contextmanager
def running(layout: Layout, settings: Mapping[str, str] | None = None) -> Iterator[None]:
    """Start both, wait until they answer, stop both at the end. What they say goes to `layout.log_file`.

    Call it from the main thread, and on a data directory that nobody else uses. Raises RuntimeError when one does not
    answer within 30 s.
    """
    servers: list[Postgres | Valkey] = [Postgres(layout, settings), Valkey(layout)]
    for server in servers:
        server.prepare()
    started: list[tuple[subprocess.Popen[bytes], int]] = []
    try:
        with layout.log_file.open("ab") as log:
            for server in servers:
                program = server.program()
                started.append((spawn(program, log), program.stop_signal))
        for server, (process, _) in zip(servers, started, strict=True):
            _wait_until_ready(server, process, layout)
        yield
    finally:
        for process, stop_signal in started:
            process.send_signal(stop_signal)
        for process, _ in started:
            _end(process)


def _wait_until_ready(server: Postgres | Valkey, process: subprocess.Popen[bytes], layout: Layout) -> None:
    deadline = time.monotonic() + 30
    while not server.is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            said = "\n".join(layout.log_file.read_text(errors="replace").splitlines()[-20:])
            raise RuntimeError(f"{server.program().name} did not start:\n{said}")
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
