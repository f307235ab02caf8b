"""Rows of XML and of SOAP: elements as objects, and nothing of a caller's becomes an element of the request."""

import gzip
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from tests.e2e.receiver import Answer
from tests.in_turn import in_turn
from tests.sources.fetching import says, source_of
from tests.sources.pulling import fails, pulled_from

ITEMS = "<r><p id='1'><at>2026-01-02</at></p><p id='2'><at>2026-01-01</at></p></r>"
ROWS = [{"@id": 1, "at": "2026-01-02"}, {"@id": 2, "at": "2026-01-01"}]
ENVELOPE = '<e:Envelope xmlns:e="urn:e"><e:Body><Get since="{{remembered}}">{{remembered}}</Get></e:Body></e:Envelope>'


def xml(body: str | bytes, status: int = 200, kind: str = "text/xml") -> Answer:
    return says(body, status, ("Content-Type", kind))


def test_elements_are_rows() -> None:
    came, [call] = pulled_from(
        lambda _: xml(ITEMS), "XML", rows="/r/p", query={"since": "{{remembered}}"}, remember="at", remember_start="x",
    )  # fmt: skip
    assert (came.rows, came.remembered, call.path) == (ROWS, "2026-01-02", "/?since=x")
    assert "soapaction" not in call.headers


def test_soap_is_asked_with_its_headers_and_nothing_becomes_an_element() -> None:
    came, [call] = pulled_from(
        lambda _: xml(ITEMS), "XML", rows="//p", body=ENVELOPE, soap_action="urn:Get", remember="at",
        remembered="</Get><Drop a=\"&'\"/>",
    )  # fmt: skip
    safe = "&lt;/Get&gt;&lt;Drop a=&quot;&amp;&apos;&quot;/&gt;"
    assert call.body.decode() == ENVELOPE.replace("{{remembered}}", safe)
    assert (call.headers["soapaction"], call.headers["content-type"]) == ('"urn:Get"', "text/xml; charset=utf-8")
    assert (came.rows, came.remembered) == (ROWS, '</Get><Drop a="&\'"/>')


def test_its_own_headers_win() -> None:
    headers = {"Content-Type": "application/soap+xml", "soapaction": "other"}
    _, [call] = pulled_from(
        lambda _: xml(ITEMS), "XML", rows="//p", method="POST", body="<a/>", soap_action="urn:Get", headers=headers
    )
    assert (call.headers["soapaction"], call.headers["content-type"]) == ("other", "application/soap+xml")


@in_turn(
    "answer, rows",
    [
        (xml("<r/>"), []),
        (xml(gzip.compress(ITEMS.encode())), ROWS),
        (xml("<r><p>ü</p></r>".encode("latin-1"), kind="text/xml; charset=latin1"), [{"#text": "ü"}]),
        (xml(f"<r><p>{'x' * 5_000_000}</p></r>"), [{"#text": "x" * 5_000_000}]),
    ],
)
def test_odd_answers_are_read(answer: Answer, rows: list[Any]) -> None:
    came, _ = pulled_from(lambda _: answer, "XML", rows="/r/p")
    assert came.rows == rows


TYPED = """<r xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>
<p id='1' zip='007'><price cur='EUR'>1.50</price><paid>true</paid><n>1,234</n>
<tag>5</tag><tag>x</tag><gone xsi:nil='1'/></p>
<p id='2' zip='123'><price>2</price><paid/><n>2</n><tag>6</tag><gone>7</gone><left k='1' xsi:nil='true'/></p></r>"""


def test_texts_become_what_all_of_their_name_are() -> None:
    came, _ = pulled_from(lambda _: xml(TYPED), "XML", rows="/r/p")
    assert came.rows == [
        {"@id": 1, "@zip": "007", "price": {"@cur": "EUR", "#text": 1.5}, "paid": True, "n": "1,234",
         "tag": ["5", "x"], "gone": None},
        {"@id": 2, "@zip": "123", "price": 2, "paid": None, "n": "2", "tag": "6", "gone": 7,
         "left": {"@k": 1, "#text": None}},
    ]  # fmt: skip
    assert came.found["types"] == {
        "@id": "integer", "@zip": "text", "price/@cur": "text", "price": "number", "paid": "boolean", "n": "text",
        "tag": "text", "gone": "integer", "left/@k": "integer",
    }  # fmt: skip


def test_texts_may_stay_texts_and_some_be_said() -> None:
    came, _ = pulled_from(lambda _: xml(TYPED), "XML", rows="/r/p", values="text", types={"price": "number"})
    assert came.rows[1] == {
        "@id": "2", "@zip": "123", "price": 2, "paid": "", "n": "2", "tag": "6", "gone": "7",
        "left": {"@k": "1", "#text": None},
    }  # fmt: skip
    came, _ = pulled_from(lambda _: xml(TYPED), "XML", rows="/r/p", types={"@id": "text", "price/@cur": "text"})
    assert [row["@id"] for row in came.rows] == ["1", "2"]


def test_what_is_not_of_a_said_type_is_told_by_its_row() -> None:
    error = fails(lambda _: xml(TYPED), "XML", rows="/r/p", types={"n": "number"})
    assert (error.error_class, error.retry) == ("xml", False)
    assert error.sentence == "Row 1: what stands at “n” is no number, as its type says."


def test_a_late_text_stays_one() -> None:
    rows = "".join(f"<p>{place}</p>" for place in range(20_000))
    came, _ = pulled_from(lambda _: xml(f"<r>{rows}<p>late</p></r>"), "XML", rows="/r/p")
    assert came.rows[-2:] == [{"#text": 19_999}, {"#text": "late"}]
    assert came.found["types"] == {"#text": "integer"}


FAULT = "<Envelope><Body><Fault><faultstring>No &lt;shop&gt;</faultstring></Fault></Body></Envelope>"


@in_turn(
    "answer, error_class, sentence",
    [
        (xml(ITEMS[:-8]), "xml", "The answer cannot be read as XML: no element found (line 1, after 1 row)."),
        (xml('<!DOCTYPE r [<!ENTITY a "ha">]><r>&a;</r>'), "xml", "it defines a document type (DOCTYPE)"),
        (xml(""), "xml", "it is empty"),
        (xml("<other/>"), "rows", "The answer has no place for rows like /r/p."),
        (xml(FAULT), "soap", "The source answered with a fault: “No <shop>.”"),
        (xml(FAULT, 500), "status", "500 Internal Server Error. It says: “No <shop>.”"),
    ],
)
def test_what_is_wrong_is_said(answer: Answer, error_class: str, sentence: str) -> None:
    error = fails(lambda _: answer, "XML", rows="/r/p")
    assert error.error_class == error_class
    assert sentence in error.sentence


@in_turn(
    "given, field",
    [
        ({}, "rows"),
        ({"rows": "/a[1]"}, "rows"),
        ({"rows": "//a", "types": {"a": "date"}}, "types"),
        ({"rows": "//a", "values": "maybe"}, "values"),
        ({"rows": "//a", "soap_action": "urn:x", "method": "GET"}, "method"),
        ({"rows": "//a", "soap_action": "urn:x"}, "body"),
        ({"rows": "//a", "soap_action": "urn:ü"}, "soap_action"),
    ],
)
def test_what_cannot_be_asked_is_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        source_of("XML", url="https://example.com", **given)
    assert set(caught.value.detail["configuration"]) == {field}  # type: ignore[call-overload]
