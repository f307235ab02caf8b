"""Lists by cursor: every row once, newest first, whatever is added meanwhile; and nonsense in the address is a 400."""

from base64 import b64encode
from urllib.parse import quote

import pytest

from tests.callers import PROBLEM, Caller
from tests.factories import make_job


def tags(rows: list[dict[str, str]]) -> list[str]:
    return [row["tag"] for row in rows]


def make_jobs(alice: Caller, *names: str) -> None:
    for name in names:
        make_job(alice.application, name)


def test_the_newest_come_first(alice: Caller) -> None:
    make_jobs(alice, "a", "b", "c")
    assert alice.get("/jobs/").body.keys() == {"results", "next", "previous"}
    assert tags(alice.get("/jobs/").body["results"]) == ["c", "b", "a"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 1000])
def test_next_leads_through_all_rows_once(alice: Caller, limit: int) -> None:
    make_jobs(alice, *"abcdefg")
    assert tags(alice.walk(f"/jobs/?limit={limit}")) == list("gfedcba")


def test_rows_that_are_added_while_one_reads_shift_nothing(alice: Caller) -> None:
    make_jobs(alice, *"abcd")
    first = alice.get("/jobs/?limit=2").body
    make_jobs(alice, *"xyz")
    second = alice.get(first["next"]).body
    assert (tags(first["results"]), tags(second["results"])) == (["d", "c"], ["b", "a"])
    assert second["next"] is None


def test_rows_that_are_deleted_while_one_reads_hide_no_other(alice: Caller) -> None:
    make_jobs(alice, *"abcd")
    first = alice.get("/jobs/?limit=2").body
    alice.delete("/jobs/c/")
    assert tags(alice.get(first["next"]).body["results"]) == ["b", "a"]


def test_previous_leads_back_through_the_same_pages(alice: Caller) -> None:
    make_jobs(alice, *"abcde")
    pages = [alice.get("/jobs/?limit=2").body]
    while pages[-1]["next"]:
        pages.append(alice.get(pages[-1]["next"]).body)
    back = [pages[-1]]
    while back[-1]["previous"]:
        back.append(alice.get(back[-1]["previous"]).body)
    assert [tags(page["results"]) for page in reversed(back)] == [["e", "d"], ["c", "b"], ["a"]]


def test_the_filters_go_along_with_the_cursor(alice: Caller) -> None:
    make_jobs(alice, "z1", "b", "z2", "c", "z3")
    assert tags(alice.walk("/jobs/?search=z&limit=1")) == ["z3", "z2", "z1"]


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "ten", "1.5", "%00", "²"])
def test_a_limit_that_is_none_is_refused(alice: Caller, limit: str) -> None:
    answer = alice.get(f"/jobs/?limit={limit}")
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert "1 to 1000" in answer.errors["limit"][0]


def cursor(text: str) -> str:
    return quote(b64encode(text.encode()))


@pytest.mark.parametrize("path", ["/jobs/", "/runs/", "/results/"])
@pytest.mark.parametrize(
    "value",
    [
        "nonsense",
        "%00",
        "%FF",
        cursor("p=abc"),
        cursor("p=%00"),
        cursor("p=" + "9" * 30),
        cursor("o=abc"),
        cursor("o=999999999999999999999999"),
        cursor("p=1&o=-5"),
        cursor("é"),
    ],
)
def test_a_cursor_that_did_not_come_from_us_breaks_nothing(alice: Caller, path: str, value: str) -> None:
    answer = alice.get(f"{path}?cursor={value}")
    assert answer.status in {200, 400}, answer.body
    if answer.status == 400:
        assert answer.content_type == PROBLEM
        assert "next" in answer.errors["cursor"][0]
