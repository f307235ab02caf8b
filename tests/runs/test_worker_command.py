"""`manage.py worker` and `beat` before they become Celery's; what they do then is told in tests/e2e/."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from badgerjobs.celery import app
from badgerjobs.runs.management.commands import worker

SHARED_BY_SESSIONS = Path("/proc/self/autogroup").exists()
TOLD = f"""
import django, os, runpy
from pathlib import Path
os.environ["DJANGO_SETTINGS_MODULE"] = "badgerjobs.settings"
django.setup()
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


@pytest.mark.parametrize("name", ["beat", "worker"])
def test_it_goes_on_as_celery_in_the_same_process_and_makes_no_check_again(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[list[str], str]] = []

    def start(words: list[str]) -> int:
        started.append((words, os.environ["CELERY_SKIP_CHECKS"]))
        return 3

    monkeypatch.setattr(app, "start", start)
    monkeypatch.setattr(worker, "_allow_many_connections", lambda: None)
    monkeypatch.setenv("CELERY_SKIP_CHECKS", "")
    monkeypatch.chdir(Path.cwd())
    with pytest.raises(SystemExit) as ended:
        call_command(name, skip_checks=True)
    assert ended.value.code == 3
    [(words, skipped)] = started
    assert (words[:2], skipped) == (["--quiet", name], "1")
