"""What tests ask of sandboxes, and what they see of their processes from outside."""

import re
from contextlib import suppress
from pathlib import Path

from badgerjobs.lib import javascript
from badgerjobs.lib.javascript.host import Call, Host
from badgerjobs.lib.javascript.results import Limits
from tests.waiting import until

LIMITS = Limits(5, 64 * 2**20, 1_000_000)


def call(body: str, limits: Limits = LIMITS) -> Call:
    made = javascript._call(body, {}, limits)
    assert isinstance(made, Call)
    return made


def submit(to: Host, body: str, *, tenant: object = "alice", limits: Limits = LIMITS) -> Call:
    made = call(body, limits)
    to.submit(made, tenant=tenant)
    return made


def ready(of: Host) -> int:
    """The sandbox that waits for a call, of a host of one. Its limits are those of one that runs a body, but for the
    body's own."""
    assert submit(of, "return 1").result.result(30).value == 1
    assert of.keeper
    keeper = of.keeper.pid
    waiting: list[int] = []

    def one_waits() -> bool:
        waiting[:] = descendants(keeper)
        # One that served a call has a limit of processor time until it is gone.
        return [(limit("open files", pid), limit("cpu time", pid)) for pid in waiting] == [("0", "unlimited")]

    until(one_waits)
    return waiting[0]


def limit(name: str, pid: int) -> str:
    try:
        found = re.search(rf"^Max {name} +(\S+)", Path(f"/proc/{pid}/limits").read_text(), re.MULTILINE)
    except OSError:
        return ""
    return found[1] if found else ""


def parents() -> dict[int, int]:
    """Each process that there is → its parent. What has ended and was not waited for is not there."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone meanwhile
            state, parent = (process / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(process.name)] = int(parent)
    return found


def descendants(root: int) -> set[int]:
    everybody = parents()
    found: set[int] = set()
    while more := {pid for pid, parent in everybody.items() if parent in found | {root}} - found:
        found |= more
    return found
