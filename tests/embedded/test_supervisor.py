import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from badgerjobs.embedded.processes import Program, is_alive
from badgerjobs.embedded.supervisor import Stopped, Supervisor
from tests.waiting import until

PYTHON = [sys.executable, "-u", "-c"]


def shell(name: str, script: str, **options: object) -> Program:
    return Program(name, ["sh", "-c", script], **options)  # type: ignore[arg-type]


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as started:
        yield started


def pids_in(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def test_what_programs_say_is_shown_with_time_and_name(
    supervisor: Supervisor, capsys: pytest.CaptureFixture[str]
) -> None:
    assert supervisor.run(shell("speaker", "echo one; echo two >&2; printf 'no end'")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=1)[1] for line in lines] == ["speaker  | one", "speaker  | two", "speaker  | no end"]
    time.strptime(lines[0].split()[0], "%H:%M:%S")


def test_of_what_a_program_says_the_hushed_lines_alone_are_left_out(
    supervisor: Supervisor, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor.run(shell("speaker", "echo WARNING one; echo WARNING two; echo one", hushed=("WARNING one",)))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("| ")[1] for line in lines] == ["WARNING two", "one"]


@pytest.mark.parametrize(("script", "status"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", -9)])
def test_a_program_that_is_run_tells_how_it_ended(script: str, status: int, supervisor: Supervisor) -> None:
    assert supervisor.run(shell("short", script)) == status


def test_a_program_that_is_not_there_fails_with_its_name(
    supervisor: Supervisor, capsys: pytest.CaptureFixture[str]
) -> None:
    assert supervisor.run(Program("lost", ["/not/there"])) == 127
    assert "lost cannot be started" in capsys.readouterr().out


def test_a_program_that_dies_is_started_again_and_the_log_says_so(
    supervisor: Supervisor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pids = tmp_path / "pids"
    supervisor.start(shell("sleeper", f"echo $$ >> '{pids}'; exec sleep 600"))
    supervisor.wait_until(pids.exists, what="the first", seconds=5)
    os.kill(pids_in(pids)[0], signal.SIGKILL)
    supervisor.wait_until(lambda: len(pids_in(pids)) == 2, what="the second", seconds=5)
    assert "sleeper was killed by SIGKILL; it is started again in 0.2 s" in capsys.readouterr().out


def test_what_is_to_be_cleared_is_cleared_before_every_start(supervisor: Supervisor, tmp_path: Path) -> None:
    cleared: list[int] = []
    supervisor.start(shell("dies", "exit 1", clear=lambda: cleared.append(1)))
    supervisor.wait_until(lambda: len(cleared) == 2, what="the second start", seconds=5)


def test_one_that_keeps_dying_is_not_waited_for(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("badgerjobs.embedded.supervisor.FIRST_PAUSE", 0.01)
    supervisor.start(shell("dies", "exit 7"))
    with pytest.raises(TimeoutError, match="dies keeps dying"):
        supervisor.wait_until(lambda: False, what="never", seconds=10)
    said = capsys.readouterr().out
    assert "dies ended with status 7; it is started again in 0.0 s" in said
    assert said.count("ended with") == 6


def test_waiting_has_an_end(supervisor: Supervisor) -> None:
    with pytest.raises(TimeoutError, match="the moon was not ready after 0 s"):
        supervisor.wait_until(lambda: False, what="the moon", seconds=0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_watch_at_once(number: signal.Signals, supervisor: Supervisor) -> None:
    supervisor.start(Program("sleeper", ["sleep", "600"]))
    os.kill(os.getpid(), number)
    with pytest.raises(Stopped):
        supervisor.watch()


def test_a_log_that_nobody_reads_any_more_ends_the_watch(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(sys.stdout, "write", broken)
    supervisor.start(shell("speaker", "echo hello; sleep 600"))
    with pytest.raises(Stopped):
        supervisor.watch()


def test_the_last_started_group_ends_first(tmp_path: Path) -> None:
    order = tmp_path / "order"
    script = f"trap 'echo NAME >> {order}; exit' TERM; touch {tmp_path}/NAME; while :; do sleep 0.05; done"
    with Supervisor() as supervisor:
        for name in ("first", "second", "third"):
            supervisor.start(shell(name, script.replace("NAME", name)))
        supervisor.wait_until(lambda: len(list(tmp_path.iterdir())) == 3, what="all", seconds=5)
    assert order.read_text().split() == ["third", "second", "first"]


def test_each_program_is_ended_by_its_own_signal(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    script = f"trap 'echo INT > {ready}; exit' INT; trap 'echo TERM > {ready}; exit' TERM; touch {ready}; "
    with Supervisor() as supervisor:
        supervisor.start(shell("database", script + "while :; do sleep 0.05; done", stop_signal=signal.SIGINT))
        supervisor.wait_until(ready.exists, what="it", seconds=5)
    assert ready.read_text() == "INT\n"


def test_what_does_not_stop_is_killed_in_time_with_all_that_it_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pids = tmp_path / "pids"
    stubborn = f"trap '' TERM; sleep 600 & echo $! > '{pids}'; echo $$ >> '{pids}'; while :; do wait; done"
    with Supervisor() as supervisor:
        supervisor.start(shell("stubborn", stubborn))
        supervisor.wait_until(lambda: len(pids_in(pids)) == 2, what="both", seconds=5)
        began = time.monotonic()
        supervisor.stop(seconds=0.3)
        assert time.monotonic() - began < 2
    assert "stubborn does not stop and is killed" in capsys.readouterr().out
    until(lambda: not any(is_alive(pid) for pid in pids_in(pids)))


def test_a_second_signal_neither_hastens_the_end_nor_hides_how_long_it_took(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    # Its end takes as long as it takes to send us the second signal and a bit.
    script = f"trap 'kill -INT {os.getpid()}; sleep 0.2; touch {ended}; exit' TERM; touch {tmp_path}/ready; "
    with Supervisor() as supervisor:
        supervisor.start(shell("slow", script + "while :; do sleep 0.05; done"))
        supervisor.wait_until((tmp_path / "ready").exists, what="it", seconds=5)
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Stopped):
            supervisor.watch()
        assert 0.2 < supervisor.stop() < 5
        assert ended.exists()


def test_what_a_dead_program_had_started_dies_with_it(supervisor: Supervisor, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    supervisor.start(shell("parent", f"sleep 600 & echo $! >> '{pids}'; exit 1"))
    supervisor.wait_until(lambda: len(pids_in(pids)) == 2, what="two starts", seconds=5)
    until(lambda: not is_alive(pids_in(pids)[0]))


def test_a_flood_of_lines_is_passed_on_whole(supervisor: Supervisor, capsys: pytest.CaptureFixture[str]) -> None:
    assert supervisor.run(Program("flood", [*PYTHON, "for n in range(20000): print(n)"])) == 0
    assert len(capsys.readouterr().out.splitlines()) == 20_000


def test_a_line_without_end_and_bytes_that_are_no_text_do_no_harm(
    supervisor: Supervisor, capsys: pytest.CaptureFixture[str]
) -> None:
    script = "import sys; sys.stdout.buffer.write(b'x' * 100000 + bytes([255]) + b'y\\n')"
    assert supervisor.run(Program("endless", [*PYTHON, script])) == 0
    said = capsys.readouterr().out
    assert said.count("x") == 100_000
    assert said.endswith("\N{REPLACEMENT CHARACTER}y\n")


def test_signals_are_given_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)]
    with Supervisor():
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)] == before
