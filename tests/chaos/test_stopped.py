"""Ctrl-C in the middle of chaos: nothing is left, neither a process nor a file."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place for temporary folders that the servers' account can pass through."""
    made = Path(tempfile.mkdtemp(prefix="chaos-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def started_in(folder: Path) -> list[str]:
    """The processes that were told of the folder, in their words or in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:  # gone meanwhile
            continue
        if int(process.name) != os.getpid() and os.fsencode(folder) in told:
            found.append(told.split(b"\0")[0].decode())
    return found


@pytest.mark.e2e
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_while_processes_are_frozen_and_killed_it_leaves_none(folder: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "chaos"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        assert any("freeze worker" in line for line in process.stdout)
        assert len(started_in(folder)) > 8
        process.send_signal(number)
        assert process.wait(30) == 128 + number
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert started_in(folder) == []
    assert list(folder.iterdir()) == []
