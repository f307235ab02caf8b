"""What collections hold whose sources say how often they were asked: so each state tells which runs have left it."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.e2e.receiver import Answer, Call

# So many rows come each time; of an upsert, one more that was not there.
ROWS = 20

Row = dict[str, Any]


class Feed:
    """Answers each call with rows that say which call of their source it was."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()

    def __call__(self, call: Call) -> Answer:
        self._calls[call.path] += 1
        nth = self._calls[call.path]
        rows = _same(nth)
        if "upserted" in call.path:
            rows.append(_new(nth))
        return Answer(body="".join(f"{json.dumps(row)}\n" for row in rows).encode())


def is_replaced(mode: str) -> bool:
    """Whether the rows of a run stand in the place of all others."""
    return not mode.startswith(("upserted", "accumulative"))


def rows_after(mode: str, calls: Sequence[int]) -> list[Row]:
    """All rows, in their order, when what these calls brought was stored, one after the other."""
    if mode.startswith("accumulative"):
        return [row for nth in calls for row in _same(nth)]
    return _same(calls[-1]) + ([_new(nth) for nth in calls] if mode.startswith("upserted") else [])


def calls_in(mode: str, rows: Sequence[Row]) -> list[int]:
    """The calls that brought these, if they are all rows of a state; where all are replaced, the last one."""
    if is_replaced(mode):
        return [row["nth"] for row in rows[:1]]
    return [row["nth"] for row in (rows[::ROWS] if mode.startswith("accumulative") else rows[ROWS:])]


def _same(nth: int) -> list[Row]:
    return [{"id": number, "nth": nth} for number in range(ROWS)]


def _new(nth: int) -> Row:
    return {"id": ROWS + nth, "nth": nth}
