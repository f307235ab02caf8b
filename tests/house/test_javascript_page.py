"""The page about JavaScript has every word of an error, and the limits as they are."""

from typing import get_args

import pytest

from badgerjobs.lib import javascript
from tests.house.test_docs import rows


@pytest.mark.parametrize("word", get_args(javascript.Word))
def test_every_word_of_an_error_is_explained(word: str) -> None:
    assert word in rows("docs/javascript.md")


@pytest.mark.parametrize(
    "limit",
    [
        f"{javascript.TIMEOUT_S * 1000:.0f} ms",
        f"{javascript.MEMORY_BYTES // 2**20} MB",
        f"{javascript.OUTPUT_BYTES:,} bytes",
        f"{javascript.BODY_BYTES // 1024} KB",
        f"{javascript.ARGUMENTS_BYTES // 2**20} MB",
        f"{javascript.WAIT_S:.0f} s;",
    ],
)
def test_the_limits_are_as_the_page_says(limit: str) -> None:
    assert any(cells[0].startswith(limit) for cells in rows("docs/javascript.md").values())
