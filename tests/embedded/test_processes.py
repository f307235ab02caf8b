import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from badgerjobs.embedded.folders import ensure_private_folder, ensure_reachable
from badgerjobs.embedded.layout import DataDirectoryError
from badgerjobs.embedded.processes import (
    Account,
    Program,
    is_alive,
    kill_all,
    marked,
    server_account,
    spawn,
    working_in,
)
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
NOBODY = Account("nobody", 65_534, 65_534)
SLEEP = ["sleep", "600"]

# Starts a sleeper by `spawn`, writes its pid, and waits to be killed.
PARENT = """
import signal, sys
from badgerjobs.embedded.processes import Program, spawn
child = spawn(Program("sleeper", ["sleep", "600"], orphan_signal=signal.Signals(int(sys.argv[1]))), 2)
print(child.pid, flush=True)
signal.pause()
"""

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_program_ends_with_who_started_it_even_by_sigkill(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(int(number))], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
    until(lambda: not is_alive(child))


def test_a_program_has_a_session_of_its_own() -> None:
    with spawn(Program("sleeper", SLEEP), subprocess.DEVNULL) as child:
        assert os.getsid(child.pid) == child.pid
        child.kill()


def test_a_program_reads_what_it_is_told_and_then_the_end() -> None:
    with spawn(Program("cat", ["cat"], told="a secret\n"), subprocess.PIPE) as child:
        assert child.stdout
        assert child.stdout.read() == b"a secret\n"


def test_what_must_be_cleared_is_cleared_before_the_start() -> None:
    seen: list[str] = []
    with spawn(Program("true", ["true"], clear=lambda: seen.append("cleared")), subprocess.DEVNULL):
        assert seen == ["cleared"]


@only_root
def test_a_program_of_another_account_runs_as_it_and_sees_nothing_of_our_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_KEY", "ours")
    program = Program("id", ["sh", "-c", "id -u; id -G; env"], account=NOBODY, folder=Path("/"), environment={"A": "b"})
    with spawn(program, subprocess.PIPE) as child:
        assert child.stdout
        uid, groups, *environment = child.stdout.read().decode().splitlines()
    assert (uid, groups) == ("65534", "65534")
    assert "A=b" in environment
    assert "SECRET_KEY=ours" not in environment


@only_root
def test_a_program_of_another_account_ends_with_us_too(tmp_path: Path) -> None:
    script = PARENT.replace('"sleeper",', '"sleeper", account=Account("nobody", 65534, 65534), command=').replace(
        "import Program", "import Account, Program"
    )
    with subprocess.Popen([sys.executable, "-c", script, "9"], cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert Path(f"/proc/{child}").stat().st_uid == NOBODY.uid
        parent.kill()
    until(lambda: not is_alive(child))


def test_processes_are_found_by_their_folder_and_program(tmp_path: Path) -> None:
    here, there = tmp_path / "a b", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    name = Path(subprocess.check_output(["readlink", "-f", "/proc/self/exe"], text=True).strip())
    sleeper = Path(subprocess.check_output(["sh", "-c", "readlink -f $(command -v sleep)"], text=True).strip())
    assert name.exists()
    with (
        spawn(Program("one", SLEEP, folder=here), subprocess.DEVNULL) as one,
        spawn(Program("other", SLEEP, folder=there), subprocess.DEVNULL) as other,
    ):
        assert working_in(here, sleeper.name) == [one.pid]
        assert working_in(here, "postgres") == []
        kill_all([one.pid])
        assert other.poll() is None
        other.kill()


def test_processes_are_found_by_their_mark() -> None:
    with (
        spawn(Program("one", SLEEP, environment={"A_MARK": "this one"}), subprocess.DEVNULL) as one,
        spawn(Program("other", SLEEP, environment={"A_MARK": "this one not"}), subprocess.DEVNULL) as other,
    ):
        assert marked("A_MARK", "this one") == [one.pid]
        kill_all([one.pid])
        assert not is_alive(one.pid)
        assert is_alive(other.pid)
        other.kill()


def test_a_zombie_counts_as_gone() -> None:
    with spawn(Program("true", ["true"]), subprocess.DEVNULL) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(child.pid)


def test_killing_who_is_gone_already_is_no_error() -> None:
    with spawn(Program("true", ["true"]), subprocess.DEVNULL) as child:
        child.wait()
    kill_all([child.pid])


@pytest.mark.parametrize(("mode", "passes"), [(0o755, True), (0o711, True), (0o750, False), (0o700, False)])
def test_a_folder_that_lets_nobody_through_is_found(mode: int, passes: bool, folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir()
    closed.chmod(mode)
    assert NOBODY.stopped_at(closed / "x") == (None if passes else closed)
    if passes:
        ensure_reachable(closed, NOBODY)
    else:
        with pytest.raises(DataDirectoryError, match=r"chmod o\+x '.*closed'"):
            ensure_reachable(closed, NOBODY)


def test_an_ordinary_user_reaches_what_it_reaches(tmp_path: Path) -> None:
    ensure_reachable(tmp_path / "anything", None)


@only_root
def test_root_lets_the_owner_of_the_data_run_the_servers(tmp_path: Path) -> None:
    chosen = server_account(tmp_path / "not there yet")
    assert chosen
    assert chosen.name in {"postgres", "nobody"}
    NOBODY.owns(tmp_path)
    assert server_account(tmp_path) == Account("nobody", NOBODY.uid, tmp_path.stat().st_gid)


@pytest.mark.skipif(os.geteuid() == 0, reason="root needs one")
def test_an_ordinary_user_runs_the_servers_itself(tmp_path: Path) -> None:
    assert server_account(tmp_path) is None


def test_a_private_folder_is_closed_to_others_even_if_it_was_open(tmp_path: Path) -> None:
    folder = tmp_path / "sockets"
    folder.mkdir()
    folder.chmod(0o777)
    ensure_private_folder(folder, None)
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_is_no_folder_of_ours_is_not_used_for_sockets(kind: str, tmp_path: Path) -> None:
    place = tmp_path / "sockets"
    if kind == "link":
        place.symlink_to(tmp_path)
    else:
        place.touch()
    with pytest.raises(DataDirectoryError, match="belongs to somebody else"):
        ensure_private_folder(place, None)


@only_root
def test_a_folder_of_another_account_is_not_used_for_sockets(tmp_path: Path) -> None:
    place = tmp_path / "sockets"
    place.mkdir()
    os.chown(place, 12_345, 12_345)
    with pytest.raises(DataDirectoryError, match="belongs to somebody else"):
        ensure_private_folder(place, NOBODY)
