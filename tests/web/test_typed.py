"""Numbers and ids as people type them."""

from uuid import UUID

import pytest

from badgerjobs.web.typed import number_of, uuid_of


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7), ("007", 7), ("99999999", 99999999), ("999999999", None), ("", None), ("-1", None)]
)
def test_a_number_has_so_many_digits_at_most(text: str, number: int | None) -> None:
    assert number_of(text, digits=8) == number


@pytest.mark.parametrize("text", ["²", "٣", "1e3", "x"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert number_of(text, digits=8) is None


def test_an_id_is_read_and_anything_else_is_none() -> None:
    assert uuid_of("0197a3e0-0000-7000-8000-000000000001") == UUID("0197a3e0-0000-7000-8000-000000000001")
    assert [uuid_of(text) for text in ("", "x", "0197a3e0")] == [None, None, None]
