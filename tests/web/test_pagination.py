"""Lists by cursor: every row once, newest first, whatever is added meanwhile; and nonsense in the address is a 400."""

import json
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.conf import settings as configured

from badgerjobs.lib import vault
from tests.callers import PROBLEM, Caller
from tests.factories import make_job, make_run


def tags(rows: list[dict[str, str]]) -> list[str]:
    return [row["tag"] for row in rows]


def make_jobs(alice: Caller, *names: str) -> None:
    for name in names:
        make_job(alice.application, name)


def test_the_newest_come_first(alice: Caller) -> None:
    make_jobs(alice, "a", "b", "c")
    assert alice.get("/jobs/").body.keys() == {"results", "next", "previous"}
    assert tags(alice.get("/jobs/").body["results"]) == ["c", "b", "a"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 100])
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


@pytest.mark.parametrize(("path", "most"), [("/jobs/", 100), ("/runs/", 1000), ("/results/", 100)])
@pytest.mark.parametrize("limit", ["0", "-1", "one more", "ten", "1.5", "%00", "²"])
def test_a_limit_that_is_none_is_refused(alice: Caller, path: str, most: int, limit: str) -> None:
    answer = alice.get(f"{path}?limit={most + 1 if limit == 'one more' else limit}")
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert f"1 to {most}." in answer.errors["limit"][0]
    assert alice.get(f"{path}?limit={most}").status == 200


def cursors(page: dict[str, str]) -> Iterator[str]:
    """What stands in the addresses of a page's neighbours."""
    for address in (page["next"], page["previous"]):
        if address:
            [value] = parse_qs(urlsplit(address).query)["cursor"]
            yield value


def test_a_cursor_tells_nothing_of_how_many_rows_there_are(alice: Caller) -> None:
    make_jobs(alice, *"abc")
    first = alice.get("/jobs/?limit=1").body
    second = alice.get(first["next"]).body
    found = [*cursors(first), *cursors(second)]
    assert len(found) == 3
    for value in found:
        assert value == quote(value, safe="")
        encrypted = value + "=" * (-len(value) % 4)
        assert b"false" not in urlsafe_b64decode(encrypted)
        _, _, position = json.loads(vault.decrypt(encrypted, configured.ENCRYPTION_KEYS))
        assert position.isdigit()


def test_a_cursor_survives_new_keys(alice: Caller, settings: Any) -> None:
    make_jobs(alice, *"ab")
    first = alice.get("/jobs/?limit=1").body
    settings.ENCRYPTION_KEYS = ["n" * 40, *configured.ENCRYPTION_KEYS]
    assert tags(alice.get(first["next"]).body["results"]) == ["a"]


def test_a_cursor_of_another_list_is_none_of_this(alice: Caller) -> None:
    runnable = make_job(alice.application, "a").runnable
    for _ in range(2):
        make_run(runnable)
    [value] = cursors(alice.get("/runs/?limit=1").body)
    answer = alice.get(f"/jobs/?cursor={value}")
    assert (answer.status, set(answer.errors)) == (400, {"cursor"})


def test_an_empty_cursor_is_the_beginning(alice: Caller) -> None:
    make_jobs(alice, *"ab")
    assert tags(alice.get("/jobs/?cursor=").body["results"]) == ["b", "a"]


def cursor(text: str) -> str:
    return quote(b64encode(text.encode()))


@pytest.mark.parametrize("path", ["/jobs/", "/runs/", "/results/"])
@pytest.mark.parametrize(
    "value",
    [
        "nonsense",
        "%00",
        "%FF",
        cursor("p=1"),
        cursor('[0, false, "1"]'),
        "gAAAAA",
        "é",
        cursor("p=abc"),
        cursor("p=%00"),
        cursor("p=" + "9" * 30),
        cursor("o=abc"),
        cursor("o=999999999999999999999999"),
        cursor("p=1&o=-5"),
        cursor("é"),
    ],
)
def test_a_cursor_that_did_not_come_from_us_is_refused(alice: Caller, path: str, value: str) -> None:
    answer = alice.get(f"{path}?cursor={value}")
    assert (answer.status, answer.content_type) == (400, PROBLEM)
    assert "next" in answer.errors["cursor"][0]
