"""Processor time of processes: steadier than the clock on the wall when a machine has other things to do."""

import os
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from badgerjobs.embedded.processes import working_in

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_USER, _SYSTEM = 11, 12  # of /proc/PID/stat, after the name


def used(pids: Mapping[str, int]) -> dict[str, float]:
    """Seconds used so far by each kind of process: `worker` for all of `worker-N`, and `postgres` for that server."""
    seconds = {"postgres": sum(_seconds(pid) for pid in working_in(settings.LAYOUT.postgres_dir, "postgres"))}
    for name, pid in pids.items():
        kind = name.partition("-")[0]
        seconds[kind] = seconds.get(kind, 0.0) + _seconds(pid)
    return seconds


def _seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:  # gone meanwhile
        return 0.0
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS_PER_S
