"""How two outputs, or two transforms, are compared line by line."""

import pytest

from webhooks.transforms.drafts import MOST_COMPARED, MOST_LINES, TOO_LONG, compared


def test_lines_are_the_same_or_another() -> None:
    before, after = "{\n  one: 1,\n  two: 2\n}", "{\n  one: 8,\n  two: 9\n}"
    told = [(" ", "{"), ("-", "  one: 1,"), ("-", "  two: 2"), ("+", "  one: 8,"), ("+", "  two: 9"), (" ", "}")]
    assert compared(before, after) == told
    assert compared(before, before) == [(" ", line) for line in before.splitlines()]
    assert compared("", "new") == [("+", "new")]


LONG = {"lines": "\n" * MOST_LINES, "characters": "x" * MOST_COMPARED}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_of_what_is_too_long_it_is_only_said_that_it_differs(text: str) -> None:
    assert compared(f"{text}a", f"{text}b") == compared("a", f"{text}b") == [(" ", TOO_LONG)]
