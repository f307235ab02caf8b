"""An output has at most 232 KB: stacks go first, then all of it."""

from typing import Any

import pytest

from badgerjobs.lib.json_copies import length_of
from tasks.background.outputs import MOST_BYTES, bounded


def of_length(most: int) -> dict[str, Any]:
    return {"a": "x" * (most - len('{"a":""}'))}


def test_the_bound_is_the_documented_one() -> None:
    assert MOST_BYTES == 237_568


@pytest.mark.parametrize("output", [{}, {"rows": 3, "stack": "at line 3"}, of_length(237_568)], ids=len)
def test_what_fits_is_kept_as_it_is_with_its_stacks(output: Any) -> None:
    assert bounded(output) is output


def test_what_is_a_byte_too_long_is_replaced() -> None:
    assert bounded(of_length(237_569)) == {
        "message": "Output size exceeds the maximum allowed size.",
        "size": 237_569,
        "max": 237_568,
    }


def test_bytes_count_and_not_characters() -> None:
    assert bounded({"a": "ä" * 120_000})["size"] == 240_008


def test_stacks_are_dropped_first_wherever_they_are() -> None:
    long = "x" * 237_568
    output = {"error": {"message": "Broken.", "stack": long}, "stack": long, "rows": [{"stack": long, "id": 3}]}

    assert bounded(output) == {"error": {"message": "Broken."}, "rows": [{"id": 3}]}


def test_what_is_too_long_without_its_stacks_is_replaced_and_measured_without_them() -> None:
    output = {**of_length(300_000), "stack": "x" * 1000}

    found = bounded(output)

    assert found["size"] == 300_000
    assert length_of(found) < 200
