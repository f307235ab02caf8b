"""The processes that run customers' JavaScript: what they hold, what they may, and when they end."""

import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from badgerjobs.lib import javascript
from badgerjobs.lib.javascript import frames, host
from badgerjobs.lib.javascript import keeper as keeper_module
from badgerjobs.lib.javascript.host import Call, Host
from badgerjobs.lib.javascript.keeper import Call as Order
from badgerjobs.lib.javascript.keeper import Keeper, Sandbox
from badgerjobs.lib.javascript.results import Limits, Result, killed
from badgerjobs.lib.javascript.spent import processor_s
from tests.lib.sandbox_processes import LIMITS, call, descendants, limit, parents, ready, submit
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def one() -> Iterator[Host]:
    """A host of the test's own, with one sandbox at a time."""
    made = Host(1)
    yield made
    made.close()


def test_a_sandbox_holds_nothing_of_the_host(one: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    monkeypatch.setenv("SECRET_KEY", "secret")
    for pid in (ready(one), one.keeper.pid if one.keeper else 0):
        place = Path(f"/proc/{pid}")
        environment = (place / "environ").read_bytes()
        assert set(environment.rstrip(b"\0").split(b"\0")) == {b"TZ=UTC", b"LANG=C.UTF-8"}
        assert (place / "cwd").readlink() == Path("/")
        maps = (place / "maps").read_text()
        assert "mini_racer" in maps
        assert not re.search(r"psycopg|libpq|valkey|celery", maps)


def test_a_sandbox_has_its_socket_open_and_nothing_else(one: Host) -> None:
    files = {path.readlink().as_posix() for path in Path(f"/proc/{ready(one)}/fd").iterdir()}
    own_loops = {name for name in files if re.match(r"anon_inode:|socket:", name)}
    assert files - own_loops == {"/dev/null"}
    assert len([name for name in own_loops if name.startswith("socket:")]) <= 3  # its door, and V8's event loop's pair


def test_a_sandbox_may_open_write_and_start_nothing(one: Host) -> None:
    pid = ready(one)
    names = ("open files", "file size", "core file size", "processes")
    assert {name: limit(name, pid) for name in names} == dict.fromkeys(names, "0")
    assert "NoNewPrivs:\t1" in Path(f"/proc/{pid}/status").read_text()


def test_the_kernel_stops_a_body_when_the_keeper_is_late(one: Host) -> None:
    made = submit(one, "return 1")
    made.result.result(30)
    assert one.keeper
    looping = call("for (;;) {}", Limits(0.5, 64 * 2**20, 1000))
    one.submit(looping, tenant="mallory")
    keeper = one.keeper.pid
    until(lambda: any(limit("cpu time", pid) == "2" for pid in descendants(keeper)))
    running = {pid for pid in descendants(keeper) if limit("cpu time", pid) == "2"}
    os.kill(keeper, signal.SIGSTOP)
    try:
        until(lambda: not running & set(parents()))
    finally:
        os.kill(keeper, signal.SIGCONT)
    error = looping.result.result(10).error
    assert error
    assert error.word == "timeout"


def test_each_call_has_a_process_of_its_own(one: Host) -> None:
    assert len({ready(one) for _ in range(3)}) == 3


def test_a_dead_keeper_fails_what_ran_and_the_next_call_has_another(one: Host) -> None:
    pid = ready(one)
    before = one.keeper
    assert before
    looping = submit(one, "for (;;) {}")
    waiting = submit(one, "return 2")
    before.kill()
    error = looping.result.result(30).error
    assert error
    assert error.word == "unavailable"
    assert waiting.result.result(30).value == 2
    assert one.keeper is not before
    until(lambda: pid not in parents())


def test_a_sandbox_that_crashes_is_said_to_have_crashed(one: Host) -> None:
    pid = ready(one)
    looping = submit(one, "for (;;) {}")
    until(lambda: limit("cpu time", pid) == "6")
    os.kill(pid, signal.SIGSEGV)
    error = looping.result.result(30).error
    assert error
    assert error.word == "crashed"
    assert submit(one, "return 1").result.result(30).value == 1


def test_what_cannot_be_started_is_said_and_not_tried_for_ever(one: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_START", "raise SystemExit(1)")
    calls = [submit(one, "return 1") for _ in range(5)]
    errors = [made.result.result(30).error for made in calls]
    assert [error and error.word for error in errors] == ["unavailable"] * 5
    monkeypatch.undo()
    assert submit(one, "return 1").result.result(30).value == 1


@dataclass
class Kept:
    """A keeper and a sandbox that runs a call, which is no sandbox but a process that does nothing."""

    keeper: Keeper
    sandbox: Sandbox
    process: subprocess.Popen[bytes]
    of_sandbox: socket.socket
    at_host: socket.socket

    def said(self) -> tuple[int, int]:
        """The word that the host was sent, and the length of what follows."""
        number, word, _, length = frames.ANSWER.unpack(self.at_host.recv(frames.ANSWER.size))
        assert number == 7
        return word, length


@pytest.fixture
def kept() -> Iterator[Kept]:
    (of_keeper, of_sandbox), (at_host, at_keeper) = socket.socketpair(), socket.socketpair()
    with of_keeper, of_sandbox, at_host, at_keeper, subprocess.Popen(["sleep", "60"]) as process:
        at_host.settimeout(10)
        keeper = Keeper(at_keeper, 1)
        sandbox = Sandbox(process.pid, of_keeper, time.monotonic() + 5, ready=True)
        sandbox.call, sandbox.began = Order(7, 5000, 2**26, 1_000_000, b""), time.monotonic()
        keeper.running.append(sandbox)
        keeper.selector.register(of_keeper, selectors.EVENT_READ, sandbox)
        yield Kept(keeper, sandbox, process, of_sandbox, at_host)
        keeper.selector.close()
        process.kill()


def test_an_answer_without_end_never_reaches_the_host(kept: Kept) -> None:
    kept.of_sandbox.sendall(frames.REPLY.pack(0.1, 50_000_000) + b"x" * 1000)
    kept.keeper._hear(kept.sandbox)
    assert kept.said() == (frames.OUTPUT, 0)
    assert kept.process.wait(10) == -signal.SIGKILL


def _pass(kept: Kept, seconds: float) -> None:
    """Let so much time have passed on the wall."""
    kept.sandbox.began -= seconds
    kept.sandbox.until -= seconds
    kept.keeper._look()


def test_what_a_busy_machine_gave_no_time_is_not_stopped_for_that(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    spent = kept.sandbox.spent = 3.0  # before the call
    monkeypatch.setattr(keeper_module, "processor_s", lambda _: spent)
    _pass(kept, 5.5)
    spent = 7.9
    _pass(kept, 5)
    assert kept.keeper.running == [kept.sandbox]
    spent = 8.1
    kept.keeper._look()
    assert kept.said() == (frames.TIMEOUT, 0)


def test_what_gets_no_time_at_all_ends_by_the_clock(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_module, "processor_s", lambda _: 0.0)
    _pass(kept, 21.5)
    assert kept.keeper.running
    _pass(kept, 1)
    assert kept.said() == (frames.TIMEOUT, 0)
    error = killed(frames.TIMEOUT, LIMITS, 22.5).error
    assert error
    assert (error.word, error.message) == (
        "timeout",
        "The code was stopped after 22,000 ms: the machine was too busy to give it its 5,000 ms.",
    )


def test_where_no_clock_tells_its_time_that_on_the_wall_counts(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_module, "processor_s", lambda _: None)
    _pass(kept, 4.5)
    assert kept.keeper.running
    _pass(kept, 1)
    assert kept.said() == (frames.TIMEOUT, 0)


def test_the_time_of_the_processor_is_the_process_s_own() -> None:
    before = time.process_time()
    told = processor_s(os.getpid())
    assert told
    assert before <= told <= time.process_time()
    with subprocess.Popen(["sleep", "60"]) as process:
        assert 0 <= (processor_s(process.pid) or 0) < told
        process.kill()
    assert processor_s(process.pid) is None


HOST = """
import os, signal, sys, threading
from badgerjobs.lib import javascript
javascript.run("return 1", {}, tenant=1, timeout_s=10)
loop = lambda: javascript.run("for (;;) {}", {}, tenant=1, timeout_s=9)
threading.Thread(target=loop, daemon=True).start()
print(javascript.own.get().keeper.pid, flush=True)
sys.stdin.read()
"""


def some_host(code: str = HOST) -> tuple[subprocess.Popen[str], set[int]]:
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "JAVASCRIPT_PROCESSES": "2"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    keeper = int(process.stdout.readline())
    until(lambda: any(limit("cpu time", pid) == "10" for pid in descendants(keeper)))
    return process, {keeper, *descendants(keeper)}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, None], ids=["killed", "terminated", "at its end"])
def test_no_process_is_left_when_the_host_ends(number: signal.Signals | None) -> None:
    process, everybody = some_host()
    assert len(everybody) >= 3
    if number:
        process.send_signal(number)
    process.communicate(timeout=30)
    until(lambda: not everybody & set(parents()))


def test_a_fork_of_the_host_has_sandboxes_of_its_own_and_does_not_keep_the_hosts() -> None:
    code = HOST.replace(
        "sys.stdin.read()",
        """
sys.stdin.readline()
if (child := os.fork()) == 0:
    result = javascript.run("return 5", {}, tenant=1, timeout_s=10)
    print(result.value, javascript.own.get().keeper.pid, flush=True)
    sys.stdin.read()
    javascript.own.close()
    os._exit(0)
os.kill(os.getpid(), signal.SIGKILL)
""",
    )
    process, everybody = some_host(code)
    assert process.stdin
    assert process.stdout
    process.stdin.write("\n")
    process.stdin.flush()
    value, keeper = process.stdout.readline().split()
    assert value == "5"
    assert int(keeper) not in everybody
    until(lambda: not everybody & set(parents()))  # or the fork holds the door of its parent's
    process.stdin.close()
    until(lambda: int(keeper) not in parents())
    process.stdout.close()
    process.wait()


def test_a_call_that_is_given_up_while_it_waits_is_not_run(one: Host) -> None:
    ready(one)
    looping = submit(one, "for (;;) {}", limits=Limits(0.3, 64 * 2**20, 1000))
    waiting, after = submit(one, "return 2"), submit(one, "return 3")
    assert waiting.result.cancel()
    assert after.result.result(30).value == 3
    assert looping.result.done()


def test_a_call_whose_turn_comes_too_late_is_not_begun(one: Host) -> None:
    made = call("return 1")
    made.since -= host.WAIT_S + 1
    one.submit(made, tenant="alice")
    error = made.result.result(30).error
    assert error
    assert error.word == "busy"


def test_more_than_may_wait_are_refused_at_once(one: Host) -> None:
    looping = submit(one, "for (;;) {}")
    waiting = [submit(one, "return 1") for _ in range(host.EACH_WAITING + 1)]
    refused = waiting[-1].result.result(0).error
    assert refused
    assert refused.word == "busy"
    one.close()
    assert all(made.result.done() for made in [looping, *waiting])


def test_what_waits_of_one_tenant_is_bounded_in_bytes(one: Host) -> None:
    submit(one, "for (;;) {}")
    body = "return 1" + " " * 200_000
    waiting = [submit(one, body) for _ in range(host.EACH_WAITING)]
    kept = [made for made in waiting if not made.result.done()]
    assert 1 < len(kept) == host.EACH_WAITING // waiting[0].places
    assert sum(len(made.order) for made in kept) <= host.EACH_WAITING * host.PLACE_BYTES
    refused = waiting[-1].result.result(0).error
    assert refused
    assert refused.word == "busy"


def test_the_longest_call_has_a_place(one: Host) -> None:
    """With what JSON in JSON makes of its quotes."""
    most = {"input": '"' * (javascript.ARGUMENTS_BYTES // 2 - 10)}
    made = javascript._call("return 1" + "\1" * (javascript.BODY_BYTES - 8), most, Limits(5, 2**26, 1_000_000))
    assert isinstance(made, Call)
    assert made.places <= host.EACH_WAITING


def test_who_loses_its_place_to_another_is_told_at_once(one: Host) -> None:
    submit(one, "for (;;) {}")
    waiting = [submit(one, "return 1") for _ in range(host.EACH_WAITING)]
    late = call("return 2")
    one.submit(late, tenant="alice", part="another")
    refused = waiting[-1].result.result(0).error
    assert refused
    assert refused.word == "busy"
    assert not late.result.done()


def test_many_threads_may_ask_at_once(one: Host) -> None:
    results: list[object] = []
    threads = [
        threading.Thread(
            target=lambda n=n: results.append(submit(one, f"return {n}", tenant=n).result.result(60).value)
        )
        for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(20))  # type: ignore[type-var]


def test_what_cannot_be_read_of_one_answer_holds_up_no_other_call(one: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Result:
        raise LookupError

    ready(one)
    before = one.keeper
    monkeypatch.setattr(host, "answered", broken)
    with pytest.raises(LookupError):
        submit(one, "return 1").result.result(30)
    monkeypatch.undo()
    assert submit(one, "return 2").result.result(30).value == 2
    assert one.keeper is before


def test_without_a_file_or_a_thread_for_them_no_sandbox_is_waited_for(
    one: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    def none_left(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    for where, name, wrong in ((socket, "socketpair", full), (threading.Thread, "start", none_left)):
        monkeypatch.setattr(where, name, wrong)
        error = submit(one, "return 1").result.result(30).error
        assert error
        assert error.word == "unavailable", name
        monkeypatch.undo()
    assert submit(one, "return 1").result.result(30).value == 1
