"""The six modes from end to end: pulled from a receiver, made by JavaScript, stored, read by REST after each run."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.collecting import MODES, lines, make_collection, run_all
from tests.e2e.receiver import Answer, Receiver
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "collections.json").read_text())
FIRST, SECOND, *_ = OUTPUTS = VECTORS["outputs"]
AS_THEY_COME = "return rows;"
# More than is sent to the database at once: the first rows of this are in it before the last one turns out too long.
LONG_ROWS, LONG, TOO_LONG = 10, "x" * 990_000, "x" * 1_000_000


@pytest.fixture
def working(one_of_each: Stack) -> Stack:
    """A collection of each mode without any run, and a worker that fills them."""
    for mode in MODES:
        source = lines(f"{one_of_each.receiver.url}/{mode}")
        slurper = {"language": "javascript_batches", "code": AS_THEY_COME}
        make_collection(one_of_each, mode, mode=mode, source=source, **slurper)
    return one_of_each


def gives(receiver: Receiver, rows: list[Any]) -> None:
    """Let all sources give these."""
    body = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    receiver.answer = lambda _: Answer(body=body)


def run(stack: Stack) -> None:
    """All of them, each of which must succeed."""
    assert {name: one["state"] for name, one in run_all(stack).items()} == dict.fromkeys(MODES, "succeeded")


def states(stack: Stack) -> dict[str, Any]:
    """As the vectors have them: mode → what readers see; of a versioned one, version → what readers of that see."""
    return {mode: _state(stack, mode) for mode in MODES}


def _state(stack: Stack, mode: str) -> Any:
    if not mode.endswith("versioned"):
        return stack.get(f"collections/{mode}/")
    newest = stack.get(f"async-jobs/{mode}/collections/{mode}/")["version"] or 0
    replies = {number: stack.request("GET", f"collections/{mode}/?version={number}") for number in range(1, newest + 2)}
    assert {reply.status for reply in replies.values()} <= {200, 404}
    if newest:
        assert stack.get(f"collections/{mode}/") == replies[newest].data
    return {f"V{number}": reply.data for number, reply in replies.items() if reply.status == 200}


def expected(nth: int) -> dict[str, Any]:
    """After the run of this number, from 0."""
    return {mode: VECTORS[mode][nth] for mode in MODES}


def test_readers_see_what_the_vectors_say_after_each_run_in_all_six_modes(working: Stack) -> None:
    seen = []
    for output in OUTPUTS:
        gives(working.receiver, output)
        run(working)
        seen.append(states(working))
    assert seen == [expected(nth) for nth in range(len(OUTPUTS))]


def test_code_that_throws_leaves_what_was_there_and_uses_no_version(working: Stack) -> None:
    gives(working.receiver, FIRST)
    run(working)
    gives(working.receiver, SECOND)
    for mode in MODES:
        code = "if (rows.length) throw new Error('as it should');"
        assert working.request("PATCH", f"slurpers/{mode}/", {"code": code}).status == 200
    failed = run_all(working)
    assert {(one["state"], one["error_class"]) for one in failed.values()} == {("failed", "code")}
    assert all("as it should" in one["error"] for one in failed.values())
    assert states(working) == expected(0)
    for mode in MODES:
        assert working.request("PATCH", f"slurpers/{mode}/", {"code": AS_THEY_COME}).status == 200
    run(working)
    assert states(working) == expected(1)


def test_what_fails_while_it_is_stored_leaves_what_was_there_and_uses_no_version(working: Stack) -> None:
    gives(working.receiver, FIRST)
    run(working)
    long_rows = [{"id": 100 + number, "text": LONG} for number in range(LONG_ROWS)]
    gives(working.receiver, [SECOND[0], *long_rows, {"id": 1, "text": TOO_LONG}])
    failed = run_all(working)
    assert {(one["state"], one["error_class"]) for one in failed.values()} == {("failed", "rows")}
    said = f"Row {LONG_ROWS + 2} has 1,000,018 bytes as JSON, and at most 1,000,000 can be stored."
    assert all(said in one["error"] for one in failed.values())
    assert states(working) == expected(0)
    assert working.sql("SELECT count(*) FROM collections_version WHERE stage <> 'ready'") == [(0,)]
    gives(working.receiver, SECOND)
    run(working)
    assert states(working) == expected(1)


def test_a_result_without_rows_empties_what_is_replaced_and_leaves_the_rest(working: Stack) -> None:
    gives(working.receiver, FIRST)
    run(working)
    gives(working.receiver, [])
    run(working)
    assert states(working) == {
        "normal": [],
        "upserted": FIRST,
        "accumulative": FIRST,
        "versioned": {"V1": FIRST, "V2": []},
        "upserted_versioned": {"V1": FIRST, "V2": FIRST},
        "accumulative_versioned": {"V1": FIRST, "V2": FIRST},
    }
