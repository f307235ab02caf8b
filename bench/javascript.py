"""WHAT=javascript: what a call of the sandbox costs, and whether a thousand bodies that mean harm end as they must."""

import asyncio
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from badgerjobs.lib import javascript
from badgerjobs.lib.javascript.host import own
from bench.hostile import BOMBS, TRICKS, Body, verdict
from bench.report import say, table

BODY = "return {id: input.id, names: input.names.map(name => name.toUpperCase())}"
INPUT = {"id": 7, "names": ["ada", "grace", "edsger"]}
PAUSE = 0.02  # seconds between warm calls: what was used is replaced meanwhile, as between the calls of a quiet service
PATIENCE_S = 5.0
# Processes that are still there so long after their keeper was ended are left over.
GONE_S = 5.0


def measure(options: Namespace) -> dict[str, Any]:
    """Measure the first call, warm calls one by one, all that go at once, and the table of what means harm."""
    first = _timed()
    warm = _warm(options.calls)
    rate = asyncio.run(_rate(options.calls))
    table(
        ["", "p50 ms", "p99 ms"],
        [["first call", f"{first:.1f}", ""], ["warm call", f"{median(warm):.2f}", f"{quantiles(warm, n=100)[98]:.2f}"]],
    )
    say(f"{rate:,.0f} calls/s, asked for at once")
    harm = asyncio.run(_harm(options.hostile))
    return {
        "first_ms": round(first, 1),
        "warm_p50_ms": round(median(warm), 3),
        "warm_p99_ms": round(quantiles(warm, n=100)[98], 3),
        "calls_per_second": round(rate),
        **harm,
    }


def _timed() -> float:
    start = time.perf_counter()
    result = javascript.run(BODY, {"input": INPUT}, tenant="bench", timeout_s=PATIENCE_S)
    if result.error:
        raise RuntimeError(str(result.error))
    return (time.perf_counter() - start) * 1000


def _warm(calls: int) -> list[float]:
    took = []
    for _ in range(max(calls, 2)):
        time.sleep(PAUSE)
        took.append(_timed())
    return took


async def _rate(calls: int) -> float:
    start = time.perf_counter()
    for some in range(0, calls, 100):
        results = await asyncio.gather(
            *(
                javascript.arun(BODY, {"input": INPUT}, tenant=number % 10, timeout_s=PATIENCE_S)
                for number in range(some, min(some + 100, calls))
            )
        )
        if failed := [str(result.error) for result in results if result.error]:
            raise RuntimeError(failed[0])
    return calls / (time.perf_counter() - start)


async def _harm(calls: int) -> dict[str, Any]:
    """Run the table again and again, as many tenants, while one tenant means no harm; count what is left at the end."""
    start = time.perf_counter()
    bodies = list(islice(cycle([*BOMBS, *TRICKS]), calls))
    honest = asyncio.ensure_future(_honest())
    wrong: list[str] = []
    words: Counter[str] = Counter()
    for some in range(0, calls, 10):
        results = await asyncio.gather(*(_harmful(body) for body in bodies[some : some + 10]))
        wrong += [said for _, said in results if said]
        words.update(word for word, _ in results)
    honest.cancel()
    waits = await honest
    seconds = time.perf_counter() - start
    left = _left()
    say(f"{calls:,} that mean harm in {seconds:.0f} s: {dict(words)}")
    say(f"{len(wrong)} ended otherwise, {left} processes left")
    for said in wrong[:5]:
        say(said[:500])
    return {
        "hostile": calls,
        "hostile_seconds": round(seconds, 1),
        "hostile_wrong": len(wrong),
        "processes_left": left,
        "honest_calls": len(waits),
        "honest_max_ms": round(max(waits, default=0.0)),
    }


async def _harmful(body: Body) -> tuple[str, str]:
    # What is no bomb ends by itself: a machine that has more to do must not make a time-out of it.
    limit = PATIENCE_S if body in TRICKS else javascript.TIMEOUT_S
    result = await javascript.arun(body.text, {}, tenant=body.name, timeout_s=limit)
    return (result.error.word if result.error else "value"), verdict(body, result)


async def _honest() -> list[float]:
    waits: list[float] = []
    try:
        while True:
            start = time.perf_counter()
            result = await javascript.arun(BODY, {"input": INPUT}, tenant="honest", timeout_s=PATIENCE_S)
            if result.error:
                raise RuntimeError(str(result.error))
            waits.append((time.perf_counter() - start) * 1000)
            await asyncio.sleep(0.1)
    except asyncio.CancelledError:
        return waits


def _left() -> int:
    """Close, and count the processes that still have V8 loaded by us: those of our keeper's session."""
    keeper = own.get().keeper
    own.get().close()
    if keeper is None:
        return 0
    # The kernel ends them, a moment after their keeper.
    deadline = time.monotonic() + GONE_S
    while (left := _of_session(keeper.pid)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left


def _of_session(leader: int) -> int:
    """How many processes are in this session now."""
    return sum(session == str(leader) for session in _sessions())


def _sessions() -> Iterator[str]:
    """The session of each process that there is; one may end while it is looked at."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            yield path.read_text().rpartition(")")[2].split()[3]
