"""WHAT=memory: what all processes of `make up` take together when there is nothing to do."""

import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from django.conf import settings

from badgerjobs.embedded.processes import Program, spawn
from bench.report import say, table
from bench.stack import end, free_port, wait_until

READY_S = 90
# Long enough for every loop to have turned and every connection to be made.
IDLE_S = 20
OURS = {"up", "beat", "worker", "gunicorn"}


def measure(_options: Namespace) -> dict[str, Any]:
    """Start everything as a newcomer does, let it idle, and add up what belongs to it."""
    folder = settings.DATA_DIR.parent / "up"
    log = settings.DATA_DIR.parent / "up.log"
    environment = {"BADGERJOBS_DATA_DIR": str(folder), "PORT": str(free_port()), "PYTHONUNBUFFERED": "1"}
    program = Program("up", [sys.executable, str(settings.BASE_DIR / "manage.py"), "up"], environment=environment)
    with log.open("ab") as output:
        process = spawn(program, output)
    try:
        wait_until(lambda: _is_ready(process, log), seconds=READY_S, what="manage.py up")
        say(f"everything is ready; idle for {IDLE_S} s")
        time.sleep(IDLE_S)
        sizes = _sizes(process.pid)
    finally:
        end(process)
    _show(sizes)
    return {"idle_mb": round(sum(megabytes for _, megabytes in sizes), 1), "processes": len(sizes)}


def _is_ready(process: subprocess.Popen[bytes], log: Path) -> bool:
    said = log.read_text(errors="replace")
    if process.poll() is not None:
        raise RuntimeError(f"manage.py up ended:\n{said[-4000:]}")
    return "ready: " in said


def _sizes(root: int) -> list[tuple[str, float]]:
    """Name and proportional set size in MB of a process and all that came from it."""
    return [(_name(pid), _megabytes(pid)) for pid in sorted(_family(root))]


def _family(root: int) -> set[int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(") ")[2].split()[1])
        except OSError:  # gone meanwhile
            continue
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _name(pid: int) -> str:
    """What a process is to us: its word on the command line, or the name of its program."""
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return next((word for word in words if word in OURS), Path(words[0].split()[0]).name.rstrip(":"))


def _megabytes(pid: int) -> float:
    """Proportional set size: what is shared counts for each by its part. In MB of 1024 KB."""
    (line,) = (line for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() if line.startswith("Pss:"))
    return int(line.split()[1]) / 1024


def _show(sizes: list[tuple[str, float]]) -> None:
    groups: dict[str, list[float]] = {}
    for name, megabytes in sizes:
        groups.setdefault(name, []).append(megabytes)
    lines = [(name, len(group), f"{sum(group):.1f}") for name, group in groups.items()]
    table(
        ["process", "how many", "MB"],
        [*lines, ("together", len(sizes), f"{sum(megabytes for _, megabytes in sizes):.1f}")],
    )
