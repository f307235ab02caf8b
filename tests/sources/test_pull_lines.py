"""Rows of JSON lines: each line is one, and the one that is wrong is told by its number."""

import gzip
import json

from tests.e2e.receiver import Answer
from tests.in_turn import in_turn
from tests.sources.fetching import says
from tests.sources.pulling import fails, pulled_from


def test_each_line_is_a_row() -> None:
    rows = [{"id": place, "text": "ü"} for place in range(3000)]
    body = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    came, [call] = pulled_from(
        lambda _: says(body), "JSONL", path="/feed?since={{remembered}}", remember="id", remember_start="0", body="",
    )  # fmt: skip
    assert came.rows == rows
    assert [len(batch) for batch in came.batches] == [1000, 1000, 1000]
    assert (call.path, came.remembered) == ("/feed?since=0", 2999)


@in_turn(
    "body, rows",
    [
        (b"", []),
        (b"\n\n", []),
        (b'\xef\xbb\xbf{"a": 1}\r\n', [{"a": 1}]),
        (gzip.compress(b'{"a": 1}\n{"a": 2}'), [{"a": 1}, {"a": 2}]),
        ('{"a": "ü"}\n'.encode("utf-16"), [{"a": "ü"}]),
        (b'{"__proto__": 1}\n[1]\n"\\ud800"\nnull', [{"__proto__": 1}, [1], "\ufffd", None]),
        (b'{"text": "' + b"x" * 5_000_000 + b'"}\n1', [{"text": "x" * 5_000_000}, 1]),
    ],
)
def test_lines_come_as_they_are(body: bytes, rows: list[object]) -> None:
    came, _ = pulled_from(lambda _: says(body), "JSONL")
    assert came.rows == rows


@in_turn(
    "answer, error_class, sentence",
    [
        (says('{"a": 1}\n{"a": '), "json", "Line 2 is no JSON: there is no value where one should be"),
        (says('{"a": 1}\n\n{"a": 1e999}\n'), "json", "Line 3 is no JSON: a number in it is none"),
        (says("<html>"), "json", "Line 1 is no JSON"),
        (says("gone", 404), "status", "The source answered 404 Not Found."),
        (says("x" * 17 * 2**20), "json", "Line 1 is no JSON: it is longer than 16 MB"),
    ],
)
def test_what_is_wrong_is_said(answer: Answer, error_class: str, sentence: str) -> None:
    error = fails(lambda _: answer, "JSONL")
    assert error.error_class == error_class
    assert sentence in error.sentence
