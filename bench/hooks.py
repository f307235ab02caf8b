"""WHAT=hooks: how many webhooks a second are accepted, beside what a view that inserts one row makes of the same."""

import math
import statistics
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from django.db import connection

from badgerjobs.runs import fleet
from badgerjobs.runs.models import State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.services import create_application
from bench import asking
from bench.cache import LINES, WARM_UP_S, with_own_addresses
from bench.report import say, table
from bench.served_urls import INSERT
from bench.stack import running, serving
from webhooks.models import Delivery, Standing
from webhooks.services import create_hook

BYTES = 1024
BODY = b'{"text":"' + b"v" * (BYTES - 11) + b'"}'
WORKER_WARM_UP_S = 3.0
# What the worker is busy with.
TRANSFORM = "return {filtered: `${body.text.length} letters`};"

_ALONE = """
SELECT count(*) FROM webhooks_delivery d
WHERE NOT EXISTS (SELECT FROM runs_run r WHERE r.id = d.run_id AND r.runnable_id = d.runnable_id)
"""


def measure(options: Namespace) -> dict[str, Any]:
    """Post to the same web process, to either in turn, as fast as it goes; then half as fast, beside a busy worker."""
    insert, hook = _request(INSERT), _request(f"/hooks/{_secret()}")
    rates: dict[str, list[float]] = {"insert": [], "hook": []}
    answered = 0
    with with_own_addresses(), serving() as port:
        for _ in range(options.rounds):
            for name, request in (("insert", insert), ("hook", hook)):
                warm, _ = asking.fast(port, [request], lines=LINES, seconds=WARM_UP_S)
                count, seconds = asking.fast(port, [request], lines=LINES, seconds=options.reading)
                answered += (warm + count) * (name == "hook")
                rates[name].append(count / seconds)
                say(f"{name}: {rates[name][-1]:,.0f} a second")
        rate = statistics.median(rates["hook"])
        with running(workers=1):
            # Until it has sandboxes, and begins with what has piled up.
            warm_up = asking.paced(port, [hook], lines=LINES, rate=rate / 2, seconds=WORKER_WARM_UP_S)
            done = _done()
            took = asking.paced(port, [hook], lines=LINES, rate=rate / 2, seconds=options.reading)
            done = _done() - done
    _check(answered + len(warm_up) + len(took), asked_last=2 * options.rounds * LINES)
    return _shown(rates, rate / 2, took, done, options)


def _secret() -> str:
    """Make a hook with a transform, and return the secret of its address."""
    now = fleet.database_now()
    application = create_application(name="Bench", workspace="Bench", by=OPERATOR, now=now)
    return str(create_hook(application=application, tag="bench", by=OPERATOR, now=now, transform=TRANSFORM).secret)


def _request(path: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {BYTES}"
    return f"{head}\r\nX-Github-Event: push\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n".encode() + BODY


def _done() -> int:
    """How many deliveries were transformed so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM runs_run WHERE kind = 'delivery' AND state = %s", [State.SUCCEEDED.value])
        return int(cursor.fetchone()[0])


def _check(answered: int, *, asked_last: int) -> None:
    """Every answer's delivery is stored, with its run; else RuntimeError, and no figure."""
    stored = Delivery.objects.filter(standing=Standing.ACCEPTED).count()
    with connection.cursor() as cursor:
        cursor.execute(_ALONE)
        [alone] = cursor.fetchone()
    if alone or not answered <= stored <= answered + asked_last or stored != Delivery.objects.count():
        raise RuntimeError(f"{answered:,} calls were accepted, {stored:,} are stored, {alone:,} of them without a run.")


def _shown(
    rates: dict[str, list[float]], rate: float, took: Sequence[float], done: int, options: Namespace
) -> dict[str, Any]:
    insert, hook = (statistics.median(rates[name]) for name in ("insert", "hook"))
    took = sorted(took)
    p50, p99 = (round(took[math.ceil(share * len(took)) - 1] * 1000, 2) for share in (0.5, 0.99))
    table(
        ["", "a second", "of the insert"],
        [["insert", f"{insert:,.0f}", ""], ["hook", f"{hook:,.0f}", f"{hook / insert:.2f}"]],
    )
    busy = f"{done / options.reading:,.0f}"
    table(["at half the rate", "transforms a second", "p50 ms", "p99 ms"], [[f"{rate:,.0f} a second", busy, p50, p99]])
    return {
        "inserts_per_second": round(insert),
        "hooks_per_second": round(hook),
        "ratio": round(hook / insert, 3),
        "rounds": {name: [round(one) for one in found] for name, found in rates.items()},
        "half_p50_ms": p50,
        "half_p99_ms": p99,
        "transformed_meanwhile": done,
        "bytes": BYTES,
        "seconds": options.reading,
    }
