import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from badgerjobs.embedded.layout import Layout
from badgerjobs.embedded.lock import Held, hold

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys
from pathlib import Path
from badgerjobs.embedded.layout import Layout
from badgerjobs.embedded.lock import hold
with hold(Layout(Path(sys.argv[1])), "http://127.0.0.1:8000") as lock:
    print("held", flush=True)
    if sys.stdin.readline() == "end\\n":
        lock.announce_end()
        print("ending", flush=True)
        sys.stdin.readline()
"""


@contextmanager
def another_process(layout: Layout) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(layout.data_dir)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        yield holder
        holder.kill()


def test_the_second_is_told_who_holds_the_data_directory(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with another_process(layout) as holder, pytest.raises(Held) as told, hold(layout, "http://127.0.0.1:8001"):
        pass
    assert f"process {holder.pid}," in str(told.value)
    assert "http://127.0.0.1:8000" in str(told.value)
    assert "BADGERJOBS_DATA_DIR" in str(told.value)


def test_a_lock_ends_with_the_process_however_it_ends(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with another_process(layout) as holder:
        holder.kill()
        holder.wait()
        with hold(layout, "http://127.0.0.1:8001"):
            found = json.loads(layout.lock_file.read_text())
    assert found == {"pid": os.getpid(), "address": "http://127.0.0.1:8001", "state": "running"}


def test_one_that_is_ending_is_waited_for(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with another_process(layout) as holder:
        assert holder.stdin
        assert holder.stdout
        holder.stdin.write("end\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "ending\n"
        later = threading.Timer(0.3, holder.kill)
        later.start()
        with hold(layout, "http://127.0.0.1:8001"):
            assert not later.is_alive()


def test_one_that_never_ends_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with another_process(layout) as holder:
        assert holder.stdin
        assert holder.stdout
        holder.stdin.write("end\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "ending\n"
        with pytest.raises(Held), hold(layout, "http://127.0.0.1:8001", patience=0.2):
            pass


def test_a_lock_that_was_cut_short_still_says_that_somebody_is_there(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    with another_process(layout):
        layout.lock_file.write_text('{"pid"')
        with pytest.raises(Held, match="process unknown"), hold(layout, "http://127.0.0.1:8001"):
            pass
