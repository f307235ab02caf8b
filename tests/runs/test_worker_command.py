"""`manage.py worker` before it becomes Celery's; what it does then is told in tests/e2e/."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from badgerjobs.runs.management.commands import worker

SHARED_BY_SESSIONS = Path("/proc/self/autogroup").exists()
TOLD = f"""
import os, runpy
from pathlib import Path
runpy.run_path({worker.__file__!r})["_give_way"](7)
print(os.nice(0), Path("/proc/self/autogroup").read_text().split()[-1])
"""


@pytest.mark.skipif(not SHARED_BY_SESSIONS, reason="this system does not share its processor out by sessions")
@pytest.mark.parametrize(("alone", "of_session"), [(True, "7"), (False, "0")], ids=["alone", "with others"])
def test_a_worker_stands_back_and_its_session_only_if_nobody_else_is_in_it(alone: bool, of_session: str) -> None:
    python = [sys.executable, "-c", TOLD]
    # A shell whose child it is leads a session that a worker shares.
    command = python if alone else ["sh", "-c", '"$@"; true', "sh", *python]
    done = subprocess.run(command, start_new_session=True, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(min(os.nice(0) + 7, 19)), of_session]
