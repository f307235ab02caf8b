"""Sets of HTTP statuses, written and read."""

import pytest

from badgerjobs.lib.statuses import FAILURES, StatusesError, covers, parse, written


@pytest.mark.parametrize(
    ("text", "named", "shortest"),
    [
        ("404", {404}, "404"),
        ("408,425,429,500-502", {408, 425, 429, 500, 501, 502}, "408,425,429,500-502"),
        (" 500 - 502 , 404", {404, 500, 501, 502}, "404,500-502"),
        ("500,501,502,502,500-501", {500, 501, 502}, "500-502"),
        ("404,405", {404, 405}, "404-405"),
        ("100-599", set(range(100, 600)), "100-599"),
        ("None", set(), "none"),
    ],
)
def test_a_text_names_statuses_and_is_written_as_shortly_as_can_be(text: str, named: set[int], shortest: str) -> None:
    assert parse(text) == named
    assert written(parse(text)) == shortest
    assert parse(shortest) == named


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "like 408"),
        ("4xx", "like 408"),
        ("404;405", "like 408"),
        ("404,", "like 408"),
        ("400-", "like 408"),
        ("40٤", "like 408"),
        ("99", "like 408"),
        ("400-500-599", "like 408"),
        ("none,404", "like 408"),
        ("600", "within 100 to 599"),
        ("500-600", "within 100 to 599"),
        ("099", "within 100 to 599"),
        ("599-500", "did you mean 500-599"),
    ],
)
def test_what_names_none_is_refused_with_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(StatusesError, match=said):
        parse(text)


@pytest.mark.parametrize(
    ("status", "fails"), [(200, False), (399, False), (400, True), (410, True), (599, True), (600, True), (999, True)]
)
def test_what_fails_unless_told_otherwise(status: int, fails: bool) -> None:
    assert covers(FAILURES, status) is fails
    assert not covers("none", status)
