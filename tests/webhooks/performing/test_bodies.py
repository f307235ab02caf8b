"""Bodies as they come: JSON, forms, texts and compressed ones are read; for all else there is a sentence."""

import gzip
import json
import zlib
from typing import Any

import pytest

from badgerjobs.lib.javascript import Written
from webhooks.performing import bodies
from webhooks.performing.bodies import BadBodyError, body_of, value_of

JSON = {"Content-Type": "application/json"}
CUT_OFF = gzip.compress(b"x" * 99)[:-9]
FORM = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}


@pytest.mark.parametrize(
    ("headers", "raw", "text"),
    [
        (JSON, b'{"a": 1}', '{"a": 1}'),
        ({}, b'{"a": 1}', '{"a": 1}'),
        ({"Content-Type": "text/plain"}, b'{"a": 1}', '{"a": 1}'),
        ({"Content-Type": "application/vnd.api+json"}, b"[1]", "[1]"),
        (JSON, b'\xef\xbb\xbf{"a": 1}', '{"a": 1}'),
        (JSON, '{"a": "é"}'.encode("utf-16"), '{"a": "é"}'),
        (JSON, b'{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
        (JSON, b"1" * 308, "1" * 308),
        (JSON, b'"\\ud800"', '"\\ud800"'),
        (JSON, b"", "null"),
        ({}, b" \n", "null"),
        ({"Content-Type": "a/b; charset=" + "é"}, b"[]", "[]"),
        (FORM, b'{"a": "b=c&d"}', '{"a": "b=c&d"}'),
        (FORM, b' \n[1]', " \n[1]"),
        (FORM, b'\xef\xbb\xbf{"a": 1}', '{"a": 1}'),
        ({**FORM, "Content-Encoding": "gzip"}, gzip.compress(b'{"a": 1}'), '{"a": 1}'),
    ],
    ids=[
        "JSON", "no type", "another type", "a type of JSON", "a mark of its order", "UTF-16", "a name twice",
        "a long number", "half a letter", "empty", "blank", "an odd type",
        "an object that is said to be a form", "a list", "with a mark of its order", "a compressed one",
    ],
)  # fmt: skip
def test_json_is_left_as_it_came_whatever_its_type_says(headers: dict[str, str], raw: bytes, text: str) -> None:
    assert body_of(headers, raw) == Written(text)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"a=1&b=x+y&c=", {"a": "1", "b": "x y", "c": ""}),
        (b"a=1&a=2", {"a": ["1", "2"]}),
        (b"payload=%7B%22a%22%3A1%7D", {"payload": '{"a":1}'}),
        (b"%ff=1", {"\ufffd": "1"}),
        (b"{a=1", {"{a": "1"}),
        (b"[0]=1&[1]=2", {"[0]": "1", "[1]": "2"}),
        (b"7", {"7": ""}),
    ],
    ids=["names and values", "a name twice", "JSON in a field", "no UTF-8", "a brace", "brackets", "a number"],
)
def test_a_form_is_an_object(raw: bytes, value: Any) -> None:
    assert value_of(FORM, raw) == value
    written = body_of(FORM, raw)
    assert isinstance(written, Written)
    assert json.loads(written.text) == value


@pytest.mark.parametrize(
    ("content_type", "raw", "text"),
    [
        ("text/plain", b"hello", "hello"),
        ("", b"<order/>", "<order/>"),
        ("application/xml", "<é/>".encode(), "<é/>"),
        ("text/plain; charset=iso-8859-1", b"\xe9", "é"),
        ("text/plain; charset=latin-1", b"\xff\xfe", "ÿþ"),
        ("text/plain; charset=ISO_8859-15", b"\xa4", "€"),
        ("text/plain; charset=Shift_JIS", b"\x93\xfa", "日"),
        ("text/plain; charset=koi8-r", b"\xf1", "Я"),
        ("text/plain; charset=US-ASCII", "é".encode(), "é"),
        ("text/plain", b"NaN", "NaN"),
    ],
)
def test_what_is_no_json_is_a_text(content_type: str, raw: bytes, text: str) -> None:
    assert body_of({"content-type": content_type}, raw) == value_of({"content-type": content_type}, raw) == text


UNKNOWN = "The body is no text that could be read: its charset {} is not known."


@pytest.mark.parametrize(
    ("headers", "raw", "said"),
    [
        (JSON, b"a=1&b=2", "The body is no JSON: Expecting value, at line 1, column 1."),
        (JSON, b'{"a": }', "The body is no JSON: Expecting value, at line 1, column 7."),
        (JSON, b"NaN", "The body is no JSON that could be kept: NaN is too large, or no number."),
        (JSON, b"[1e400]", "The body is no JSON that could be kept: 1e400 is too large, or no number."),
        (JSON, b"9" * 400, f"The body is no JSON that could be kept: {'9' * 20} is too large, or no number."),
        (JSON, b'"\xff"', "The body is no JSON: it is not in UTF-8."),
        ({}, b"9" * 5000, "A number in the body has too many digits."),
        ({}, b"[" * 101 + b"]" * 101, "The JSON is nested more than 100 levels deep."),
        ({}, b"[" * 100_000, "The JSON is nested more than 100 levels deep."),
        ({"Content-Type": "image/png"}, b"\x89PNG", "The body is no text that could be read: it is not in UTF-8."),
        ({"Content-Type": "text/plain; charset=klingon"}, b"x", UNKNOWN.format("klingon")),
        ({"Content-Type": "text/plain; charset=base64"}, b"eA==", UNKNOWN.format("base64")),
        ({"Content-Type": "text/plain; charset=idna"}, b"x", UNKNOWN.format("idna")),
        (FORM, b"&".join([b"a=1"] * 1001), "The body is a form with more than 1,000 fields."),
        ({"Content-Encoding": "br"}, b"x", "The body is encoded with br: gzip and deflate can be read."),
        ({"Content-Encoding": "gzip, " * 4}, b"x", "The body is encoded 4 times."),
        ({"Content-Encoding": "gzip"}, b"plain", "The body is said to be encoded with gzip, and is not."),
        ({"Content-Encoding": "gzip"}, CUT_OFF, "The body is encoded with gzip, and its end is missing."),
    ],
    ids=[
        "a form", "broken", "NaN", "infinite", "infinite in whole", "bytes",
        "digits", "deep", "deeper", "an image", "nobody's charset",
        "no charset", "a slow charset", "fields", "br",
        "encodings", "no gzip", "cut off",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_so(headers: dict[str, str], raw: bytes, said: str) -> None:
    with pytest.raises(BadBodyError) as refused:
        body_of(headers, raw)
    assert str(refused.value) == said


BARE = zlib.compressobj(wbits=-15)


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [
        ("gzip", gzip.compress(b"[1]")),
        ("X-GZIP", gzip.compress(b"[1]")),
        ("deflate", zlib.compress(b"[1]")),
        ("deflate", BARE.compress(b"[1]") + BARE.flush()),
        ("deflate, gzip", gzip.compress(zlib.compress(b"[1]"))),
        ("gzip", gzip.compress(b"[") + gzip.compress(b"1]")),
        ("identity", b"[1]"),
    ],
    ids=["gzip", "its old name", "zlib", "bare", "both", "in two parts", "not at all"],
)
def test_what_is_compressed_is_read(encoding: str, raw: bytes) -> None:
    assert value_of({"Content-Encoding": encoding}, raw) == [1]


def test_what_is_compressed_grows_to_no_more_than_may_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST_BODY_BYTES", 1000)
    fits, bomb = gzip.compress(b'"' + b"x" * 998 + b'"'), gzip.compress(b"x" * 10_000_000)
    assert len(value_of({"content-encoding": "gzip"}, fits)) == 998
    for raw in (bomb, gzip.compress(b"x" * 600) * 2):
        with pytest.raises(BadBodyError, match=r"Without its encoding the body has more than 1,000 bytes\."):
            value_of({"content-encoding": "gzip"}, raw)
    with pytest.raises(BadBodyError, match="in more than 100 parts"):
        value_of({"content-encoding": "gzip"}, gzip.compress(b"x") * 101)


def test_a_value_holds_nothing_that_the_database_does_not() -> None:
    assert value_of(JSON, b'{"a\\u0000": "\\ud800"}') == {"a\ufffd": "\ufffd"}
    assert value_of({"content-type": "text/plain"}, b"a\0b") == "a\ufffdb"
