"""I8: what is in another's hands is found."""

import pytest

from chaos.books import Books
from chaos.checks.tenants import Shown, rows_apart, tokens_apart
from tests.chaos.stories import attempt, call, run


def test_rows_and_calls_that_stay_with_their_tenant_are_no_violation() -> None:
    assert list(rows_apart(Books(runs=[run()], attempts=[attempt()]), [call(0, 1)])) == []


@pytest.mark.parametrize(
    ("row", "tried", "called"),
    [
        pytest.param(run(tenant="blue"), attempt(), call(0, 1), id="run"),
        pytest.param(run(), attempt(tenant="blue"), call(0, 1), id="attempt"),
        pytest.param(run(), attempt(), call(0, 1, job="blue/a"), id="call"),
    ],
)
def test_a_row_or_a_call_in_anothers_hands_is_found(row: object, tried: object, called: object) -> None:
    books = Books(runs=[row], attempts=[tried])  # type: ignore[list-item]
    assert [one.kind for one in rows_apart(books, [called])] == ["mixed"]  # type: ignore[list-item]


def test_a_token_that_shows_or_opens_what_is_anothers_is_found() -> None:
    own, other, nobodys = ("run", "r0", "red"), ("run", "r1", "blue"), ("run", "r2", "")
    assert list(tokens_apart(Shown("red", [own]))) == []
    assert [one.kind for one in tokens_apart(Shown("red", [own, other, nobodys], ["/runs/r1/"]))] == ["mixed"] * 3
