"""What came of a call in a few words; and that each class of error has words and advice."""

import re
from pathlib import Path
from typing import get_args

import pytest

from badgerjobs.outbound.calls import ErrorClass
from badgerjobs.outbound.in_words import ERRORS, answer_in_words
from badgerjobs.runs.outcomes import BUG
from jobs.exchange import ADVICE

DOCS = Path(__file__).resolve().parents[2] / "docs" / "jobs.md"


def documented() -> set[str]:
    """The classes of errors that users are told of."""
    table = DOCS.read_text().partition("of one of these classes:")[2].partition("### Retries")[0]
    return set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))


def test_each_class_of_error_has_words_and_advice_and_is_documented() -> None:
    classes = {*get_args(ErrorClass), BUG.error_class}
    assert set(ERRORS) == classes
    assert {name for name in ADVICE if isinstance(name, str)} == classes
    # The last two are the engine's: of runs that failed without an attempt that did.
    assert documented() == {*classes, "status", "superseded", "lost"}


@pytest.mark.parametrize(
    ("status", "error_class", "said", "briefly"),
    [
        (204, "", "204 No Content", "204"),
        (503, "status", "503 Service Unavailable", "503"),
        (299, "", "299", "299"),
        (200, "too_large", "answer too large", "answer too large"),
        (None, "internal", "our fault", "our fault"),
        (None, "unheard-of", "", ""),
        (None, "", "", ""),
    ],
)
def test_an_answer_is_its_status_or_what_went_wrong(
    status: int | None, error_class: str, said: str, briefly: str
) -> None:
    assert answer_in_words(status, error_class) == said
    assert answer_in_words(status, error_class, brief=True) == briefly
