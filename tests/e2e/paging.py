"""Who goes through a collection by cursor and turns one page after each swap: what a cursor promises, and no less."""

from collections import Counter
from dataclasses import dataclass
from itertools import cycle
from math import ceil
from queue import SimpleQueue

from tests.e2e.asking import AmissError, Asker, Seen, ensure
from tests.e2e.collecting import KEPT
from tests.e2e.stack import Stack
from tests.e2e.states import Row, is_replaced

# A page has a third of the rows that are there, or a fourth: three of them can be read before a version that is kept
# beside two newer ones is gone, four cannot.
PARTS = (3, 4)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a version, from the place `begins` on."""

    version: int
    begins: int
    rows: list[Row]
    has_more: bool


class Pager:
    """Hears of each version that somebody saw, has it shown under its number, and then turns a page.

    `counted`: what became of the pages that were turned after a swap. `wrong`: what nobody may be answered.
    """

    def __init__(self, stack: Stack, mode: str) -> None:
        self.heard: SimpleQueue[tuple[int, list[Row]] | None] = SimpleQueue()
        self.found: list[Page] = []
        self.counted: Counter[str] = Counter()
        self.wrong: list[object] = []
        self._mode, self._ask = mode, Asker(stack, mode)
        self._kept = KEPT if mode.endswith("versioned") else 1
        self._parts, self._limit = cycle(PARTS), 0
        self._cursor: str | None = None

    def read(self) -> None:
        """Until None is heard."""
        while heard := self.heard.get():
            try:
                with self._ask:  # the next version may be longer in coming than the server keeps a connection
                    self._ensure_ready(*heard)
                    self._turn(*heard)
            except AmissError as error:
                self.wrong.append((self._mode, *error.args))

    def _ensure_ready(self, version: int, rows: list[Row]) -> None:
        seen = self._ask(version=version)
        if seen.status == 404:
            self._ensure_gone(version)
        else:
            ensure(
                (seen.status, seen.version) == (200, version) and seen.data == rows, "another one than", version, seen
            )

    def _turn(self, newest: int, rows: list[Row]) -> None:
        if self._cursor is None:
            self._begin(newest, rows)
            return
        last = self.found[-1]
        seen = self._ask(with_meta="true", limit=self._limit, cursor=self._cursor)
        if (seen.status, seen.version) == (200, last.version):
            self.counted["in the version before"] += last.version < newest
        else:
            self._ensure_gone(last.version)
            if is_replaced(self._mode):
                ensure(seen.status == 409, "neither in its version nor told to begin anew", seen)
                self.counted["told to begin anew"] += 1
                self._begin(newest, rows)
                return
            ensure(seen.version >= newest, "neither in its version nor in the newest", seen)
            self.counted["gone on in the newest"] += 1
        self._keep(seen, last.begins + len(last.rows))

    def _begin(self, newest: int, rows: list[Row]) -> None:
        self._limit = ceil(len(rows) / next(self._parts))
        seen = self._ask(with_meta="true", limit=self._limit)
        ensure(seen.version >= newest, "an older version than", newest, seen)
        self._keep(seen, 0)

    def _keep(self, seen: Seen, begins: int) -> None:
        self._cursor = None
        ensure(seen.status == 200, "no page", seen)
        framed = seen.data
        ensure(framed["version"] == seen.version and framed["items"], "a page of another version, or of none", seen)
        self._cursor = framed["cursor"]
        self.found.append(Page(seen.version, begins, framed["items"], has_more=self._cursor is not None))

    def _ensure_gone(self, version: int) -> None:
        newest = self._ask(limit=1).version
        ensure(newest >= version + self._kept, "cannot be read and is kept", version, newest)
