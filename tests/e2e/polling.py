"""Readers of collections that look every 10 ms, each at all that is there, and a page by cursor after each swap."""

import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle, pairwise
from threading import Event

from tests.e2e.asking import AmissError, Asker, Seen, ensure
from tests.e2e.paging import Pager
from tests.e2e.stack import Stack
from tests.e2e.states import Row, calls_in, is_replaced, rows_after

POLL_S = 0.01
# By turns: all rows as they are, and in the frame that says of which version they are.
QUERIES: tuple[dict[str, object], ...] = ({}, {"with_meta": "true", "limit": 10_000})


class Reader:
    """Reads one collection until it is told to stop. `wrong`: answers that nobody may get, each with the reason.

    `states`: version → the calls of the source that brought its rows. `began`: when each read began.
    """

    def __init__(self, stack: Stack, mode: str) -> None:
        self.mode = mode
        self.states: dict[int, list[int]] = {}
        self.wrong: list[object] = []
        self.began: list[float] = []
        self.pager = Pager(stack, mode)
        self._ask = Asker(stack, mode)
        self._longest_s = 0.0
        self._newest = 0
        self._checked: set[Seen] = set()

    def read(self, over: Event) -> None:
        """Begin to look every 10 ms, or at once where the last look took longer; for the last time when it is over."""
        queries = cycle(QUERIES)
        try:
            with self._ask:
                while not over.wait(self.began[-1] + POLL_S - time.monotonic() if self.began else 0):
                    self._look(next(queries))
                self._look(next(queries))
        finally:
            self.pager.heard.put(None)

    def check_pages(self) -> None:
        """Compare the pages with the states that they are parts of, when all of those are known."""
        for page in self.pager.found:
            if is_replaced(self.mode):  # one row tells of all
                calls = self.states.setdefault(page.version, calls_in(self.mode, page.rows))
            else:
                calls = self.states[self._newest][: page.version]
            rows, ends = rows_after(self.mode, calls), page.begins + len(page.rows)
            if rows[page.begins : ends] != page.rows or page.has_more is not (ends < len(rows)):
                self.wrong.append((self.mode, "a page of no state", page))

    @property
    def said(self) -> str:
        """How often it looked, how far apart, and what it saw."""
        apart = [(later - earlier) * 1000 for earlier, later in pairwise(self.began)]
        cuts = statistics.quantiles(apart, n=100)
        turned = ", ".join(f"{count} {what}" for what, count in sorted(self.pager.counted.items()) if count)
        return (
            f"{self.mode}: {len(self.began):,} reads, begun {cuts[49]:.1f} ms (p50), {cuts[98]:.1f} ms (p99),"
            f" {max(apart):.1f} ms (longest) apart, answered within {self._longest_s * 1000:.1f} ms;"
            f" {len(self.states)} versions; {len(self.pager.found)} pages, of those after a swap {turned}"
        )

    def _look(self, query: dict[str, object]) -> None:
        self.began.append(time.monotonic())
        seen = self._ask(**query)
        self._longest_s = max(self._longest_s, time.monotonic() - self.began[-1])
        try:
            self._check(seen, is_framed=bool(query))
        except AmissError as error:
            self.wrong.append((self.mode, *error.args))

    def _check(self, seen: Seen, *, is_framed: bool) -> None:
        if seen in self._checked:
            return  # the same, byte for byte
        ensure(seen.status == 200, "no rows", seen)
        ensure(seen.version >= self._newest, "an older version than", self._newest, seen)
        rows = _unframed(seen) if is_framed else seen.data
        if seen.version == 0:
            ensure(rows == [], "rows of no version", seen)
            return
        self._ensure_state(seen.version, rows)
        self._checked = {one for one in self._checked if one.version == seen.version} | {seen}
        if seen.version > self._newest:
            self._newest = seen.version
            self.pager.heard.put((seen.version, rows))

    def _ensure_state(self, version: int, rows: list[Row]) -> None:
        calls, before = calls_in(self.mode, rows), self.states.get(self._newest, [])
        ensure(calls and rows == rows_after(self.mode, calls), "no whole state", version, rows)
        if version == self._newest:
            ensure(calls == before, "another state of version", version, calls, before)
        elif is_replaced(self.mode):
            ensure(calls > before, "an older state", version, calls, before)
        else:  # nothing is lost, and each run has brought what it brings once
            goes_on = calls[: len(before)] == before and calls == sorted(set(calls))
            ensure(goes_on and len(calls) == version, "another past", version, calls, before)
        self.states[version] = calls


def _unframed(seen: Seen) -> list[Row]:
    framed = seen.data
    rows: list[Row] = framed["items"]
    told = (framed["version"] or 0, framed["count"], framed["next"], framed["cursor"])
    ensure(told == (seen.version, len(rows), None, None), "a frame of something else", seen)
    return rows


@contextmanager
def reading(stack: Stack, mode: str) -> Iterator[Reader]:
    """Have the collection of this mode read while the context is open. Raises what kept somebody from reading."""
    reader, over = Reader(stack, mode), Event()
    with ThreadPoolExecutor(2) as pool:
        begun = [pool.submit(reader.read, over), pool.submit(reader.pager.read)]
        try:
            yield reader
        finally:
            over.set()
    for one in begun:
        one.result()
    reader.check_pages()
