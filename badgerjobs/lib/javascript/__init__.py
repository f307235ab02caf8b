"""Customers' JavaScript, run where it reaches nothing: `run(…)` where one may wait, `await arun(…)` on a loop.

A body is what stands between the braces of an (async) function; its arguments are named, JSON goes in and JSON comes
out. Each call has a process and a context of V8 of its own, made before it was asked for, which end with it. See
docs/javascript.md for what a body sees, and docs/adr/0012-javascript-runs-in-processes-that-serve-one-call.md for why.
"""

import asyncio
import json
import re
from collections.abc import Hashable, Iterable, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

from badgerjobs.lib.javascript.host import BUSY, WAIT_S, Call, UnavailableError, own, processes
from badgerjobs.lib.javascript.results import Error, Level, Limits, Line, Result, Word, refused
from badgerjobs.lib.javascript.spent import on_the_wall

__all__ = [
    "WAIT_S",
    "Error",
    "Level",
    "Line",
    "Result",
    "UnavailableError",
    "Word",
    "Written",
    "arun",
    "fault",
    "processes",
    "run",
    "warm",
]

TIMEOUT_S = 0.25
MEMORY_BYTES = 64 * 1024 * 1024
OUTPUT_BYTES = 1_000_000
BODY_BYTES = 256 * 1024
ARGUMENTS_BYTES = 4 * 1024 * 1024

_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_LATE_S = 10.0  # beyond its limit: then the keeper itself is in trouble
_LAST_S = 1.0  # for the result of what has been ended


@dataclass(frozen=True, slots=True)
class Written:
    """An argument that is JSON already: it is read in the sandbox, and nowhere else. Without halves of characters."""

    text: str


def run(  # noqa: PLR0913  three limits, each with a name
    body: str,
    arguments: Mapping[str, Any],
    *,
    tenant: Hashable,
    part: Hashable = None,
    timeout_s: float = TIMEOUT_S,
    memory_bytes: int = MEMORY_BYTES,
    output_bytes: int = OUTPUT_BYTES,
) -> Result:
    """Run the body with these arguments (JSON values by name, or Written), and wait for its result.

    Tenants take turns, and so do the parts of one tenant. Limits: see Limits. What goes wrong with the body, or with
    the sandbox, is the result's error; raises ValueError or TypeError for arguments that are not JSON, or not named as
    JavaScript names things.
    """
    call = _call(body, arguments, Limits(timeout_s, memory_bytes, output_bytes))
    return call if isinstance(call, Result) else _came(call, timeout_s, tenant=tenant, part=part)


def fault(body: str, names: Iterable[str], *, tenant: Hashable, part: Hashable = None) -> Error | None:
    """What keeps the body from being compiled, with its line and column; None where nothing does.

    Nothing of it is run. Also None where nobody can tell now: the sandboxes may be busy, or not be there.
    """
    limits = Limits(TIMEOUT_S, MEMORY_BYTES, OUTPUT_BYTES)
    call = _call(body, dict.fromkeys(names), limits, compiles=True)
    if isinstance(call, Result):
        return call.error
    error = _came(call, TIMEOUT_S, tenant=tenant, part=part).error
    return error if error and error.word == "syntax" else None


def _came(call: Call, timeout_s: float, *, tenant: Hashable, part: Hashable) -> Result:
    """Let it have its turn, and wait for what comes of it."""
    own.get().submit(call, tenant=tenant, part=part)
    try:
        return call.result.result(WAIT_S + on_the_wall(timeout_s) + _LATE_S)
    except TimeoutError:
        return _late(call)


async def arun(  # noqa: PLR0913
    body: str,
    arguments: Mapping[str, Any],
    *,
    tenant: Hashable,
    part: Hashable = None,
    timeout_s: float = TIMEOUT_S,
    memory_bytes: int = MEMORY_BYTES,
    output_bytes: int = OUTPUT_BYTES,
) -> Result:
    """Do as `run` does without holding up the loop, however long the keeper takes. Cancelled, it gives up its place.

    What goes to and fro is handed over in a thread; only the JSON is written on the loop.
    """
    call = _call(body, arguments, Limits(timeout_s, memory_bytes, output_bytes))
    if isinstance(call, Result):
        return call
    try:
        async with asyncio.timeout(WAIT_S + on_the_wall(timeout_s) + _LATE_S):
            await asyncio.to_thread(own.get().submit, call, tenant=tenant, part=part)
            return await asyncio.wrap_future(call.result)
    except TimeoutError:
        return await asyncio.to_thread(_late, call)
    except asyncio.CancelledError:
        call.result.cancel()
        raise


def warm() -> None:
    """Start what runs bodies now, so that the first call is as quick as the next. Raises UnavailableError."""
    own.get().warm()


def _call(body: str, arguments: Mapping[str, Any], limits: Limits, *, compiles: bool = False) -> Call | Result:
    if wrong := [name for name in arguments if not _NAME.fullmatch(name)]:
        raise ValueError(f"{wrong[0]!r} cannot be the name of an argument")
    if len(body.encode("utf-8", "replace")) > BODY_BYTES:
        return refused("input", f"The code is longer than {BODY_BYTES // 1024:,} KB.")
    values = f"[{','.join(map(_written, arguments.values()))}]"
    if len(values) > ARGUMENTS_BYTES:
        return refused("input", f"What the code is given is longer than {ARGUMENTS_BYTES // 2**20:,} MB of JSON.")
    said = {"names": ",".join(arguments), "body": body, "values": values, "output": limits.output_bytes}
    order = json.dumps({**said, "compiles": compiles}).encode("ascii")
    return Call(body, order, limits)


def _written(value: Any) -> str:
    return value.text if isinstance(value, Written) else json.dumps(value, allow_nan=False, separators=(",", ":"))


def _late(call: Call) -> Result:
    """Its turn did not come, or its end."""
    if call.result.cancel() or call.result.cancelled():
        return refused("busy", BUSY)
    own.get().close(kill=True)
    try:
        return call.result.result(_LAST_S)
    except (TimeoutError, CancelledError):
        return refused("unavailable", "The sandbox did not answer.")
