"""`make chaos` as CI runs it: once, in its default size. The fixture of the other tests, a stack, is not used."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.e2e


def test_45_seconds_of_chaos_lose_double_and_hold_up_nothing() -> None:
    command = [sys.executable, "-m", "chaos"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    figures = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, figures["violations"]) == (0, 0), done.stdout + done.stderr
    assert min(figures["faults"].values()) >= 1
    assert len(figures["faults"]) == 12
    assert figures["occurrences"] > 2000
    assert figures["calls"] > 2000
    assert figures["webhooks"] > 100
    assert figures["tasks"] > 40
    assert figures["iterations"] > 100
    assert figures["aborted_tasks"] > 3
    assert figures["loads"] > 2
    assert figures["reads"] > 20
    assert figures["quiet_seconds"] > 10
