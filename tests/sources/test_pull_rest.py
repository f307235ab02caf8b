"""Rows of REST sources: where they are in an answer, page after page, and from where on."""

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from rest_framework.exceptions import ValidationError

from badgerjobs.sources.rows import batches, streams
from badgerjobs.sources.rows.pages import Pages, Read
from badgerjobs.sources.rows.pulling import PullError
from tests.e2e.receiver import Answer, Call, Receiver
from tests.in_turn import in_turn
from tests.sources.fetching import fetched, says, source_of
from tests.sources.pulling import Answers, fails, pulled_from

ROWS = [{"id": place} for place in range(1, 8)]


def asked(call: Call) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(call.path).query).items()}


def paged(size: int, beside: Callable[[int, int], dict[str, Any]] = lambda *_: {}, name: str = "page") -> Answers:
    """A server of ROWS, whose pages are numbered from 1."""

    def answer(call: Call) -> Answer:
        number = int(asked(call).get(name, "1"))
        rows = ROWS[(number - 1) * size : number * size]
        return says(json.dumps({"data": {"items": rows}, **beside(number, size)}))

    return answer


def test_one_answer_may_have_all_rows() -> None:
    came, calls = pulled_from(lambda _: says(json.dumps(ROWS)), headers={"X-Shop": "s"})
    assert came.batches == [ROWS]
    assert (len(calls), calls[0].headers["x-shop"], came.remembered, came.found) == (1, "s", None, {})


def test_rows_come_in_batches_of_a_bounded_size() -> None:
    came, _ = pulled_from(lambda _: says(json.dumps([{"id": place} for place in range(2500)])))
    assert [len(batch) for batch in came.batches] == [1000, 1000, 500]
    long = [{"id": place, "text": "x" * 100_000} for place in range(25)]
    came, _ = pulled_from(lambda _: says(json.dumps(long)))
    assert came.rows == long
    assert max(len(json.dumps(batch)) for batch in came.batches) < 2 * batches.MOST_BYTES


@in_turn(
    "body, path, rows",
    [
        ('{"data": {"items": [{"a": 1}]}}', "$.data.items[*]", [{"a": 1}]),
        ('{"data": {"items": null}}', "$.data.items", []),
        ("[]", "", []),
        ('[{"__proto__": {"x": 1}}]', "", [{"__proto__": {"x": 1}}]),
        ('[1, "two", null, [3]]', "", [1, "two", None, [3]]),
        ('\ufeff[{"a": "ü"}]', "", [{"a": "ü"}]),
        ('[{"a": "\\ud800 \\u0000"}]', "", [{"a": "\ufffd \ufffd"}]),
    ],
)
def test_rows_are_where_the_path_leads(body: str, path: str, rows: list[Any]) -> None:
    came, _ = pulled_from(lambda _: says(body), rows=path)
    assert came.rows == rows


@in_turn("packed", [False, True])
def test_a_row_of_five_megabytes_is_passed_on(packed: bool) -> None:
    row = {"id": 1, "text": "x" * 5_000_000}
    whole = json.dumps([{"id": 0}, row, {"id": 2}]).encode()
    head = (("Content-Encoding", "gzip"), ("Content-Type", "application/json"))
    came, _ = pulled_from(lambda _: says(gzip.compress(whole), 200, *head) if packed else says(whole))
    assert came.rows == [{"id": 0}, row, {"id": 2}]


@in_turn(
    "encoding, head", [("utf-16", ()), ("utf-8-sig", ()), ("latin-1", (("Content-Type", "text/json; charset=latin1"),))]
)
def test_an_answer_is_read_in_its_encoding(encoding: str, head: tuple[tuple[str, str], ...]) -> None:
    came, _ = pulled_from(lambda _: says('[{"a": "ü"}]'.encode(encoding), 200, *head))
    assert came.rows == [{"a": "ü"}]


@in_turn(
    "answer, error_class, sentence",
    [
        (says('[{"a": 1}, {"a"'), "json", "it ends in the middle (after 1 row"),
        (says("[1e999]"), "json", "a number in it is none, or is larger than can be kept"),
        (says(""), "json", "it is empty"),
        (says("<html>"), "json", "there is no value where one should be"),
        (says('{"error": "no such shop"}'), "rows", "nothing is there. It says: “no such shop.”"),
        (says('{"message": "closed"}', 503), "status", "503 Service Unavailable. It says: “closed.”"),
        (says(b"\x1f\x8b nothing of it"), "protocol", "begins like gzip"),
        (says(gzip.compress(b"[1]")[:-3]), "protocol", "ends in the middle"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(answer: Answer, error_class: str, sentence: str) -> None:
    error = fails(lambda _: answer, rows="" if error_class != "rows" else "$.items")
    assert error.error_class == error_class
    assert sentence in error.sentence


def test_a_bomb_is_read_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_BYTES", 10_000_000)
    bomb = gzip.compress(b"[" + b" " * 50_000_000)
    for answer in (says(bomb, 200, ("Content-Encoding", "gzip")), says(bomb)):
        error = fails(partial(_same, answer))
        assert (error.error_class, error.retry) == ("too_large", False)


def _same(answer: Answer, _: Call) -> Answer:
    return answer


def test_a_file_that_is_packed_is_unpacked() -> None:
    came, _ = pulled_from(lambda _: says(gzip.compress(b"[1, 2]"), 200, ("Content-Type", "application/gzip")))
    assert came.rows == [1, 2]


def test_a_source_that_asks_for_time_gets_it() -> None:
    error = fails(lambda _: says("{}", 429, ("Retry-After", "120")))
    assert (error.status, error.retry, error.retry_after) == (429, True, timedelta(minutes=2))
    assert fails(lambda _: says("{}", 410)).retry is False


def test_in_the_middle_of_a_pull_it_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "UNSAID_S", 0)
    turned_away: list[str] = []

    def answer(call: Call) -> Answer:
        if asked(call).get("page") == "2" and not turned_away:
            turned_away.append(call.path)
            return says("{}", 429)
        return paged(4)(call)

    came, calls = pulled_from(answer, rows="$.data.items", pages="page")
    assert (came.rows, len(turned_away), len(calls)) == (ROWS, 1, 4)


def by_offset(call: Call) -> Answer:
    given = asked(call)
    start = int(given["skip"])
    return says(json.dumps(ROWS[start : start + min(3, int(given["take"]))]))


def by_cursor(call: Call) -> Answer:
    start = int(asked(call).get("after", "c0")[1:])
    end = start + 3
    return says(json.dumps({"rows": ROWS[start:end], "next_cursor": f"c{end}" if end < len(ROWS) else None}))


def by_link(call: Call) -> Answer:
    number = int(asked(call).get("p", "1"))
    link = f"?p={number + 1}" if number * 3 < len(ROWS) else None
    return says(json.dumps({"rows": ROWS[(number - 1) * 3 : number * 3], "next": link}))


def by_header(call: Call) -> Answer:
    number = int(asked(call).get("p", "1"))
    links = f'</?p=1>; rel="first", </?p={number + 1}>; title="a, b"; rel="next last"' if number < 3 else ""
    rows = json.dumps(ROWS[(number - 1) * 3 : number * 3])
    return says(rows, 200, *([("Link", links)] if links else [("Link", '</>; rel="first"')]))


@in_turn(
    "answer, configuration, paths",
    [
        (paged(3), {"rows": "$.data.items", "pages": "page"}, ["/?page=1", "/?page=2", "/?page=3", "/?page=4"]),
        (
            paged(3, lambda number, size: {"more": number * size < len(ROWS)}, "p"),
            {"rows": "$.data.items", "pages": "page", "page_parameter": "p", "page_path": "$.more",
             "page_size_parameter": "per_page", "page_size": 3},
            ["/?p=1&per_page=3", "/?p=2&per_page=3", "/?p=3&per_page=3"],
        ),
        (
            by_offset,
            {"pages": "offset", "page_parameter": "skip", "page_size_parameter": "take", "page_size": 1000},
            [f"/?skip={start}&take=1000" for start in (0, 3, 6, 7)],
        ),
        (
            by_cursor,
            {"rows": "rows[*]", "pages": "cursor", "page_path": "$.next_cursor", "page_parameter": "after"},
            ["/", "/?after=c3", "/?after=c6"],
        ),
        (by_link, {"rows": "rows", "pages": "next", "page_path": "next"}, ["/", "/?p=2", "/?p=3"]),
        (by_header, {"pages": "link"}, ["/", "/?p=2", "/?p=3"]),
    ],
)  # fmt: skip
def test_all_pages_are_read(answer: Any, configuration: dict[str, Any], paths: list[str]) -> None:
    came, calls = pulled_from(answer, **configuration)
    assert came.rows == ROWS
    assert [call.path for call in calls] == paths


def test_a_page_may_be_asked_for_where_the_request_says() -> None:
    def answer(call: Call) -> Answer:
        page = json.loads(call.body)["page"]
        return says(json.dumps([] if page == 3 else [page]))

    came, calls = pulled_from(answer, method="POST", body='{"page": {{page}}}', pages="page")
    assert (came.rows, [call.path for call in calls]) == ([1, 2], ["/", "/", "/"])
    first, _ = pulled_from(lambda call: says(json.dumps({"rows": [json.loads(call.body)]})), method="POST", rows="rows",
                           body='{"after": {{page}}}', pages="cursor", page_path="next")  # fmt: skip
    assert first.rows == [{"after": None}]


def test_past_the_last_page_there_may_be_nothing() -> None:
    def answer(call: Call) -> Answer:
        return says("{}", 404) if asked(call)["page"] == "3" else says(json.dumps([asked(call)["page"]]))

    came, _ = pulled_from(answer, pages="page")
    assert came.rows == ["1", "2"]
    assert fails(lambda _: says("{}", 404), pages="page").status == 404


def test_an_empty_page_with_a_cursor_is_not_the_last() -> None:
    def answer(call: Call) -> Answer:
        cursor = asked(call).get("cursor", "")
        return says(json.dumps({"rows": [1] if cursor == "bb" else [], "next": "" if cursor == "bb" else cursor + "b"}))

    came, calls = pulled_from(answer, rows="rows", pages="cursor", page_path="next")
    assert (came.rows, len(calls)) == ([1], 3)


@in_turn(
    "answer, configuration, calls",
    [
        (says('{"data": [1, 2], "at": "never the same"}'), {"rows": "data", "pages": "page"}, 2),
        (says("[1, 2]"), {"pages": "offset"}, 2),
        (says('{"rows": [], "next": "a"}'), {"rows": "rows", "pages": "cursor", "page_path": "next"}, 2),
        (says('{"rows": [], "next": "/?p=1"}'), {"rows": "rows", "pages": "next", "page_path": "next"}, 2),
        (says("[]", 200, ("Link", "<?p=1>; rel=next")), {"pages": "link"}, 2),
        (says('{"rows": {"a": 1}, "next": 1}'), {"rows": "rows", "pages": "cursor", "page_path": "next"}, 2),
    ],
)
def test_pages_that_go_round_in_circles_are_noticed(answer: Answer, configuration: dict[str, Any], calls: int) -> None:
    seen: list[Call] = []

    def counted(call: Call) -> Answer:
        seen.append(call)
        return answer

    error = fails(counted, **configuration)
    assert (error.error_class, error.retry, len(seen)) == ("loop", False, calls)
    assert "(page loop)" in error.sentence


def test_pages_that_never_end_are_bounded() -> None:
    error = fails(lambda call: says(f"[{call.path.rpartition('=')[2]}]"), pages="page", most_pages=7)
    assert (error.error_class, error.retry) == ("pages", False)
    assert error.sentence.startswith("After 7 pages there are still more")


@in_turn(
    "here, link, called",
    [
        ("https://api.example.com/a/b?x=1", "c?y=2", "https://api.example.com/a/c?y=2"),
        ("https://api.example.com/a", "/b c", "https://api.example.com/b%20c"),
        ("https://api.example.com/a", "http://api.example.com/b", "https://api.example.com/b"),
        ("https://api.example.com/a", "//api.example.com/b", "https://api.example.com/b"),
        ("http://api.example.com/a", "https://api.example.com/b", ""),
        ("https://api.example.com/a", "https://api.example.com.evil.example/b", ""),
        ("https://api.example.com/a", "https://api.example.com:8443/b", ""),
        ("https://api.example.com/a", "https://user:pass@api.example.com/b", ""),
        ("https://api.example.com/a", "file:///etc/passwd", ""),
        ("https://api.example.com/a", "http://[", ""),
    ],
)
def test_a_link_leads_to_the_same_server_or_nowhere(here: str, link: str, called: str) -> None:
    pages = Pages("next", (("name", "next"),))
    page = Read(1, {"next": link}, [], here)
    if called:
        assert pages.turn(page)
        assert pages.at == called
        return
    with pytest.raises(PullError) as caught:
        pages.turn(page)
    assert (caught.value.error_class, caught.value.retry) == ("pages", False)


def test_a_key_in_the_query_goes_along_once() -> None:
    def answer(call: Call) -> Answer:
        if "p=2" in call.path:
            return says('{"rows": [2]}')
        return says('{"rows": [1], "next": "/?p=2&key=stale&key=k"}')

    came, calls = pulled_from(answer, rows="rows", pages="next", page_path="next", authentication="api_key",
                              api_key="k", api_key_name="key", api_key_in="query")  # fmt: skip
    assert (came.rows, [call.path for call in calls]) == ([1, 2], ["/?key=k", "/?p=2&key=k"])


@in_turn(
    "remembered, asked_for, values, remembers",
    [
        (None, "2026-01-01", ["2026-01-03", "2026-01-02"], "2026-01-03"),
        ("2026-02-01", "2026-02-01", ["2026-01-03"], "2026-02-01"),
        ("2026-02-01", "2026-02-01", [], "2026-02-01"),
        (None, "2026-01-01", [], None),
        (5, "5", [9, 10.5, None], 10.5),
        (None, "2026-01-01", ["9", "10"], "10"),
        (7, "7", ["x"], "x"),
    ],
)
def test_a_pull_goes_on_from_what_is_remembered(
    remembered: Any, asked_for: str, values: list[Any], remembers: Any
) -> None:
    rows = json.dumps([{"at": value} for value in values])
    came, calls = pulled_from(
        lambda _: says(rows), query={"since": "{{remembered}}"}, remember="at", remember_start="2026-01-01",
        remembered=remembered,
    )  # fmt: skip
    assert (asked(calls[0])["since"], came.remembered) == (asked_for, remembers)


@in_turn("rows", ['[{"b": 1}]', '[{"at": 1}, {"at": "x"}]', '[{"at": true}]', '[{"at": [1]}]', "[1]"])
def test_what_cannot_be_remembered_is_said(rows: str) -> None:
    error = fails(lambda _: says(rows), remember="at")
    assert (error.error_class, error.retry) == ("remember", False)
    assert "“at”" in error.sentence


def test_what_pulls_fill_is_no_variable() -> None:
    both = {"url": "https://example.com/{{page}}?since={{remembered}}&shop={{SHOP}}"}
    assert source_of(**both).variables == ["page", "remembered", "SHOP"]
    assert source_of(**both, remember="at", pages="page").variables == ["SHOP"]


def test_a_key_keeps_the_first_page() -> None:
    with Receiver() as receiver:
        receiver.answer = lambda call: says(json.dumps(call.path))
        source = source_of(url=f"{receiver.url}/?s={{{{remembered}}}}", pages="page", remember="at", remember_start="0")
        assert fetched(source) == '"/?s=0&page=1"'


def test_a_value_that_is_missing_is_named() -> None:
    error = fails(lambda _: says("[]"), path="/{{SHOP}}")
    assert (error.error_class, error.sentence) == ("variables", "No value is given for the variable SHOP.")


@in_turn(
    "given, field",
    [
        ({"rows": "$.a[?(@.b)]"}, "rows"),
        ({"pages": "cursor"}, "page_path"),
        ({"pages": "next"}, "page_path"),
        ({"pages": "sideways"}, "pages"),
        ({"most_pages": 0}, "most_pages"),
        ({"remember": "a["}, "remember"),
    ],
)
def test_what_cannot_be_pulled_is_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        source_of(url="https://example.com", **given)
    assert set(caught.value.detail["configuration"]) == {field}  # type: ignore[call-overload]
