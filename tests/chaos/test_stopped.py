"""Ctrl-C in the middle of chaos: nothing is left, neither a process nor a file."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.leftovers import started_in
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.e2e
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_while_processes_are_frozen_and_killed_it_leaves_none(passable: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "chaos"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(passable)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        assert any("freeze worker" in line for line in process.stdout)
        assert len(started_in(passable)) > 8
        process.send_signal(number)
        assert process.wait(30) == 128 + number
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    # The kernel ends what a killed worker had started, which takes a moment.
    until(lambda: started_in(passable) == [])
    assert list(passable.iterdir()) == []
