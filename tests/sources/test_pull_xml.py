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
ROWS = [{"@id": "1", "at": "2026-01-02"}, {"@id": "2", "at": "2026-01-01"}]
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
        lambda _: xml(ITEMS), "XML", rows="//p", method="POST", body=ENVELOPE, soap_action="urn:Get", remember="@id",
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


FAULT = "<Envelope><Body><Fault><faultstring>No &lt;shop&gt;</faultstring></Fault></Body></Envelope>"


@in_turn(
    "answer, error_class, sentence",
    [
        (xml(ITEMS[:-8]), "xml", "The answer cannot be read as XML: no element found (line 1, after 1 rows)."),
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
        ({"rows": "//a", "soap_action": "urn:x"}, "method"),
        ({"rows": "//a", "soap_action": "urn:x", "method": "POST"}, "body"),
        ({"rows": "//a", "soap_action": "urn:ü"}, "soap_action"),
    ],
)
def test_what_cannot_be_asked_is_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        source_of("XML", url="https://example.com", **given)
    assert set(caught.value.detail["configuration"]) == {field}  # type: ignore[call-overload]
