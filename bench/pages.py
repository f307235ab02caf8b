"""WHAT=pages: how long the panel's pages take, in milliseconds, for an application with many jobs and many runs."""

import math
import re
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from html import unescape
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badgerjobs.panel.ranges import RANGES
from badgerjobs.runs.models import Run, State
from badgerjobs.web.definitions.list_pages import ROWS
from badgerjobs.workspaces.models import Application
from bench import used
from bench.report import say, table
from bench.stack import serving

WARM_UP = 5
# What the addresses of the lists may say.
_JOBS = {
    "search": "?q=job-77",
    **{f"state {state}": f"?state={state}" for state in ("enabled", "paused", "ended", "running")},
    **{f"last {state}": f"?last={state}" for state in ("succeeded", "failed", "aborted", "skipped")},
    **{
        f"schedule {way}": f"?schedule={way.replace(' ', '+')}"
        for way in ("at a time", "every", "cron", "preset", "by hand")
    },
    **{f"by {name}": f"?sort={name}" for name in ("name", "next_run", "last_run")},
    **{f"by {name}, falling": f"?sort=-{name}" for name in ("name", "next_run", "last_run")},
}
_RUNS = {
    **{f"state {state}": f"?state={state}" for state in State.values},
    "failed or aborted": "?state=failed&state=aborted",
    "name": "?name=job-77",
    "cause": "?cause=manual",
}
_LATER = re.compile(r'href="([^"]*cursor=[^"]+)" rel="next"')

# Asks for an address; gives the seconds until its last byte was there, and the page.
Ask = Callable[[str], tuple[float, str]]


def measure(options: Namespace) -> dict[str, Any]:
    """Fill an application, ask for each page again and again, one at a time, and count what each asks the database."""
    say(f"filling in {options.jobs:,} jobs and {options.runs:,} runs")
    application, owner = used.fill(jobs=options.jobs, runs=options.runs)
    browser = Client(headers={"Accept": "text/html", "Host": "127.0.0.1"})
    browser.force_login(owner, settings.AUTHENTICATION_BACKENDS[0])
    with serving() as port, _asking(port, browser.cookies["sessionid"].value) as ask:
        addresses = _addresses(application, ask, options.jobs)
        figures = {}
        for name, address in addresses.items():
            took = [ask(address)[0] for _ in range(WARM_UP + options.requests)][WARM_UP:]
            figures[name] = _figures(took) | {"queries": _queries(browser, address)}
            say(f"{name}: {figures[name]['p95_ms']} ms")
    _show(figures)
    return {"jobs": options.jobs, "runs": options.runs, "requests": options.requests, "pages": figures}


@contextmanager
def _asking(port: int, session: str) -> Iterator[Ask]:
    """Ask over one connection that is kept, as a browser does."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Cookie": f"sessionid={session}", "Accept": "text/html", "Accept-Language": "en"}

    def ask(address: str) -> tuple[float, str]:
        start = time.perf_counter()
        connection.request("GET", address, headers=headers)
        answer = connection.getresponse()
        page = answer.read().decode()
        took = time.perf_counter() - start
        if answer.status != 200:
            raise RuntimeError(f"{address}: {answer.status}\n{page[:2000]}")
        return took, page

    yield ask
    connection.close()


def _addresses(application: Application, ask: Ask, jobs: int) -> Mapping[str, str]:
    """Name → address of each page that is measured."""
    of_jobs, of_runs, overview = (
        reverse(name, args=[application.slug]) for name in ("jobs:list", "runs:list", "panel:overview")
    )
    runs = Run.objects.for_application(application).order_by("-id")
    middle = runs[runs.count() // 2].pk
    since = (timezone.now() - timedelta(hours=1)).isoformat(timespec="minutes")
    failed = runs.filter(state=State.FAILED)[0]
    return {
        "jobs": of_jobs,
        **{f"jobs, {name}": f"{of_jobs}{query}" for name, query in _JOBS.items()},
        "jobs, half way down": _half_way(of_jobs, ask, jobs),
        "runs": of_runs,
        **{f"runs, {name}": f"{of_runs}{query}" for name, query in _RUNS.items()},
        "runs, since an hour ago": f"{of_runs}?{urlencode({'since': since})}",
        "runs, half way down": f"{of_runs}?before={middle}",
        **{f"overview, {range_}": f"{overview}?range={range_}" for range_ in RANGES},
        "job": reverse("jobs:job", args=[application.slug, f"{used.NAMES}-1"]),
        "run, failed": reverse("runs:run", args=[application.slug, failed.pk]),
        "members": reverse("panel:members", args=[application.workspace.slug]),
        "tokens": reverse("panel:tokens", args=[application.slug]),
        "audit log": reverse("panel:audit", args=[application.workspace.slug]),
    }


def _half_way(address: str, ask: Ask, jobs: int) -> str:
    """Follow the list's own links to the page in its middle; as far as there are pages."""
    for _ in range(jobs // ROWS // 2):
        found = _LATER.search(ask(address)[1])
        if not found:
            break
        address = unescape(found[1])
    return address


def _queries(browser: Client, address: str) -> int:
    """How many statements a page needs, asked here: what web has remembered, this finds too."""
    with CaptureQueriesContext(connection) as queries:
        browser.get(address)
    return len(queries)


def _figures(took: Sequence[float]) -> dict[str, Any]:
    took = sorted(took)
    p50, p95 = (round(took[math.ceil(share * len(took)) - 1] * 1000, 1) for share in (0.5, 0.95))
    return {"p50_ms": p50, "p95_ms": p95}


def _show(figures: Mapping[str, Mapping[str, Any]]) -> None:
    table(
        ["page", "p50 ms", "p95 ms", "queries"],
        [[name, one["p50_ms"], one["p95_ms"], one["queries"]] for name, one in figures.items()],
    )
