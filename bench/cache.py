"""WHAT=cache: how many cached values a second are delivered, beside what a view that does nothing makes of the same."""

import math
import os
import statistics
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from badgerjobs.sources.models import DataSource
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.issuing import issue_token
from badgerjobs.workspaces.models import Scope
from badgerjobs.workspaces.services import create_application
from bench import asking
from bench.report import say, table
from bench.served_urls import BYTES, VALUE
from bench.stack import serving
from tasks.models import CachedValue, CacheKey, CacheReads

# Connections that are kept, each with one request at a time.
LINES = 16
WARM_UP_S = 1.0


def measure(options: Namespace) -> dict[str, Any]:
    """Ask the same web process for the constant and for values, in turn, as fast as it goes; then half as fast."""
    secret = _filled(options.keys)
    head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {secret}\r\n\r\n"
    constant = [f"GET /bench-constant HTTP/1.1\r\n{head}".encode()]
    values = [f"GET /api/v1/cache/key-{number} HTTP/1.1\r\n{head}".encode() for number in range(options.keys)]
    rates: dict[str, list[float]] = {"constant": [], "values": []}
    answered = 0
    with with_own_addresses(), serving() as port:
        for _ in range(options.rounds):
            for name, requests in (("constant", constant), ("values", values)):
                warm, _ = asking.fast(port, requests, lines=LINES, seconds=WARM_UP_S)
                count, seconds = asking.fast(port, requests, lines=LINES, seconds=options.reading)
                answered += (warm + count) * (name == "values")
                rates[name].append(count / seconds)
                say(f"{name}: {rates[name][-1]:,.0f} a second")
        rate = statistics.median(rates["values"])
        took = asking.paced(port, values, lines=LINES, rate=rate / 2, seconds=options.reading)
    _check(answered + len(took), asked_last=2 * options.rounds * LINES)
    return _shown(rates, rate / 2, took, options)


def _filled(keys: int) -> str:
    """Make so many keys with their values. Returns the secret of a token that may read them."""
    now = timezone.now()
    application = create_application(name="Bench", workspace="Bench", by=OPERATOR, now=now)
    source = DataSource.objects.create(application=application, tag="bench", name="Bench", type="REST")
    made = CacheKey.objects.bulk_create(
        CacheKey(
            application=application, source=source, name=f"key-{number}", ttl_s=86_400, created_at=now, updated_at=now
        )
        for number in range(keys)
    )
    hashed = sha256(VALUE.encode()).hexdigest()
    CachedValue.objects.bulk_create(
        CachedValue(key=key, body=VALUE, bytes=BYTES, etag=hashed, fetched_at=now, changed_at=now, tried_at=now)
        for key in made
    )
    _, secret = issue_token(application=application, label="bench", by=OPERATOR, now=now, scopes=[Scope.CACHE_READ])
    return secret


def _check(answered: int, *, asked_last: int) -> None:
    """Every answer was a hit, and was counted as one when the process ended; else RuntimeError, and no figure."""
    counted = CacheReads.objects.aggregate(*(Sum(name) for name in ("hits", "stale", "misses")))
    hits = counted["hits__sum"] or 0
    if not answered <= hits <= answered + asked_last or counted["stale__sum"] or counted["misses__sum"]:
        raise RuntimeError(f"{answered:,} values were read, and what was counted is {counted}.")


@contextmanager
def with_own_addresses() -> Iterator[None]:
    """Have the web process that is started in the block answer at the addresses of `bench.served_urls`, too."""
    before = os.environ["DJANGO_SETTINGS_MODULE"]
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.served"
    try:
        yield
    finally:
        os.environ["DJANGO_SETTINGS_MODULE"] = before


def _shown(rates: dict[str, list[float]], rate: float, took: Sequence[float], options: Namespace) -> dict[str, Any]:
    constant, values = (statistics.median(rates[name]) for name in ("constant", "values"))
    took = sorted(took)
    p50, p99 = (round(took[math.ceil(share * len(took)) - 1] * 1000, 2) for share in (0.5, 0.99))
    table(
        ["", "a second", "of the constant"],
        [["constant", f"{constant:,.0f}", ""], ["values", f"{values:,.0f}", f"{values / constant:.2f}"]],
    )
    table(["at half the rate", "p50 ms", "p99 ms"], [[f"{rate:,.0f} a second", p50, p99]])
    return {
        "constant_per_second": round(constant),
        "values_per_second": round(values),
        "ratio": round(values / constant, 3),
        "rounds": {name: [round(one) for one in found] for name, found in rates.items()},
        "half_p50_ms": p50,
        "half_p99_ms": p99,
        "keys": options.keys,
        "bytes": BYTES,
        "seconds": options.reading,
    }
