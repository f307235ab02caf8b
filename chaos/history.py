"""What the receiver saw, in a file that outlives it: a line when a call begins, and one when it ends."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# How a call ended that got no answer: whoever made it went away, or the receiver itself was killed.
CUT = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `job` is `TENANT/TAG`, `run` the `webhook-id`; times are Unix seconds by the receiver's clock.

    `status` is what was answered; CUT: nothing, and `ended` is when its connection was seen to be gone. `died_with_us`:
    the receiver itself was killed while it had the call.
    """

    run: str
    job: str
    began: float
    ended: float
    status: int
    died_with_us: bool = False

    @property
    def is_cut(self) -> bool:
        return self.status == CUT


class Pen:
    """Appends to the file. A line is one write: one that was killed half way leaves no half line behind another's."""

    def __init__(self, path: Path, now: float) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._own = f"{os.getpid()}-"
        self._count = 0
        os.write(self._file, b"\n")  # after the half line that a killed one may have left
        self._write({"opened": now})

    def begin(self, *, run: str, job: str, at: float) -> str:
        """A call came. Returns its name in the history."""
        self._count += 1
        call = f"{self._own}{self._count}"
        self._write({"call": call, "run": run, "job": job, "began": at})
        return call

    def end(self, call: str, *, status: int, at: float) -> None:
        """A call is about to be answered, or is gone."""
        self._write({"call": call, "ended": at, "status": status})

    def _write(self, line: dict[str, Any]) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")


def read(path: Path) -> list[Call]:
    """All calls, in the order in which they began."""
    lines = (line for line in path.read_text().splitlines() if line)
    return told(_parsed(lines))


def _parsed(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:  # the half line of a killed one
            continue


def told(lines: Iterable[dict[str, Any]]) -> list[Call]:
    """Put beginnings and ends together. What was open when the receiver died ended before the next one opened."""
    begun: dict[str, dict[str, Any]] = {}
    calls: list[Call] = []
    last = 0.0
    for line in lines:
        last = line.get("opened") or line.get("began") or line["ended"]
        if "opened" in line:
            calls += [replace(_call(open_call, last, CUT), died_with_us=True) for open_call in begun.values()]
            begun.clear()
        elif "began" in line:
            begun[line["call"]] = line
        elif line["call"] in begun:
            calls.append(_call(begun.pop(line["call"]), line["ended"], line["status"]))
    calls += [_call(open_call, last, CUT) for open_call in begun.values()]
    return sorted(calls, key=lambda call: call.began)


def _call(begun: dict[str, Any], ended: float, status: int) -> Call:
    return Call(begun["run"], begun["job"], begun["began"], ended, status)
