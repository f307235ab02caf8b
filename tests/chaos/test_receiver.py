"""The receiver as a process: it answers as the address says, sees who goes away, and hangs when told to."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from bench.stack import free_port
from chaos.history import CUT, Call, read
from chaos.receiver import fails
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]


class Server:
    """The process, and the file that it writes."""

    def __init__(self, folder: Path) -> None:
        self.port, self.history = free_port(), folder / "history"
        command = [sys.executable, "-m", "chaos.receiver", str(self.port), str(self.history)]
        self.process = subprocess.Popen(command, cwd=ROOT)
        until(self.listens)

    def listens(self) -> bool:
        with socket.socket() as trial:
            return trial.connect_ex(("127.0.0.1", self.port)) == 0

    def call(self, path: str, run: str) -> HTTPConnection:
        """Send a call, and leave its answer to be read."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("POST", path, body="x" * 100, headers={"webhook-id": run})
        return connection

    def answered(self, path: str, run: str) -> int:
        """Send a call, and wait for its status."""
        return status(self.call(path, run))

    def begun(self) -> int:
        return self.history.read_text().count('"began"')

    def calls(self) -> list[Call]:
        return read(self.history)


def status(connection: HTTPConnection) -> int:
    """Wait for the answer to what was sent."""
    with closing(connection), connection.getresponse() as answer:
        return answer.status


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    started = Server(tmp_path)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()


def test_the_address_says_when_and_how_a_call_is_answered(server: Server) -> None:
    assert server.answered("/red/a?after=0.2&fails=100", "r1") == 500
    assert server.answered("/red/b", "r2") == 200
    slow, quick = server.calls()
    assert (slow.run, slow.job, slow.status) == ("r1", "red/a", 500)
    assert slow.ended - slow.began >= 0.2
    assert (quick.run, quick.job, quick.status) == ("r2", "red/b", 200)


def test_it_gives_as_many_rows_as_the_address_says(server: Server) -> None:
    with closing(server.call("/red/a?rows=3", "r1")) as connection:
        assert connection.getresponse().read() == b'{"id": 0}\n{"id": 1}\n{"id": 2}\n'


def test_who_goes_away_ends_the_call(server: Server) -> None:
    server.call("/red/a?after=60", "r1").close()
    until(lambda: '"ended"' in server.history.read_text())
    [call] = server.calls()
    assert call.status == CUT


def test_while_it_hangs_calls_begin_and_are_answered_when_it_goes_on(server: Server) -> None:
    server.process.send_signal(signal.SIGUSR1)
    waiting = server.call("/red/a?after=0.2", "r1")
    until(lambda: server.begun() == 1)
    server.call("/red/a?after=0.2", "r2").close()
    until(lambda: '"ended"' in server.history.read_text())
    server.process.send_signal(signal.SIGUSR2)
    assert status(waiting) == 200
    assert {call.run: call.status for call in server.calls()} == {"r1": 200, "r2": CUT}


def test_of_a_hundred_calls_about_so_many_fail_as_were_asked_for() -> None:
    assert not any(fails("r1", count, 0) for count in range(100))
    assert all(fails("r1", count, 100) for count in range(100))
    assert 400 < sum(fails(f"r{count}", count, 50) for count in range(1000)) < 600
