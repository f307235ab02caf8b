"""Rows out of XML, however it is cut; and what is made to do harm with it, refused."""

from typing import Any

import pytest

from badgerjobs.lib import xml_rows
from badgerjobs.lib.xml_rows import XMLFaultError, XMLPathError, XMLRows, parse
from tests.in_turn import in_turn

CATALOG = """<?xml version="1.0" encoding="utf-8"?>
<c:catalog xmlns:c="urn:c" xmlns:x="urn:x"><shop>Lamps &amp; more</shop>
  <c:product id="1" x:lang="de"><name>Lämp</name><tag>a</tag><tag>b</tag><price unit="CHF">10.50</price>
  <note/></c:product>
  <c:product id="2"><!-- no name --><text><![CDATA[<b>]]> beside <i>this</i></text></c:product>
  <other><c:product id="3"/></other>
</c:catalog>
"""
PRODUCTS: list[dict[str, Any]] = [
    {"@id": "1", "@lang": "de", "name": "Lämp", "tag": ["a", "b"], "price": {"@unit": "CHF", "#text": "10.50"},
     "note": ""},
    {"@id": "2", "text": {"i": "this", "#text": "<b> beside"}},
]  # fmt: skip


def read(text: str | bytes, path: str, piece: int = 10_000) -> tuple[list[Any], XMLRows]:
    whole = text.encode() if isinstance(text, str) else text
    elements = XMLRows(path)
    rows = [row for start in range(0, len(whole), piece) for row in elements.feed(whole[start : start + piece])[0]]
    return rows + elements.end()[0], elements


@in_turn("piece", [1, 2, 7, 100, 10_000])
def test_elements_become_objects(piece: int) -> None:
    assert read(CATALOG, "/catalog/product", piece)[0] == PRODUCTS


@in_turn(
    "path, ids",
    [
        ("/c:catalog/c:product", ["1", "2"]),
        ("//product", ["1", "2", "3"]),
        ("product", ["1", "2", "3"]),
        ("/*/product", ["1", "2"]),
        ("/catalog/*/product", ["3"]),
        ("other/product", ["3"]),
    ],
)
def test_a_path_leads_to_elements(path: str, ids: list[str]) -> None:
    assert [row["@id"] for row in read(CATALOG, path)[0]] == ids


@in_turn(
    "text, path, rows, is_found",
    [
        ("<a/>", "/a", [{"#text": ""}], True),
        ("<a><b>1</b><b/></a>", "/a/b", [{"#text": "1"}, {"#text": ""}], True),
        ("<a/>", "/a/b", [], True),
        ("<a/>", "/x/b", [], False),
        ("<a/>", "/x", [], False),
        ("<a/>", "//b", [], True),
        ("<a><b><b>1</b></b></a>", "//b", [{"b": "1"}], True),
        ("<a><__proto__>1</__proto__></a>", "/a", [{"__proto__": "1"}], True),
        ('<?xml version="1.0" encoding="iso-8859-1"?><a>ü</a>'.encode("latin-1"), "/a", [{"#text": "ü"}], True),
        ("<a>ü</a>".encode("utf-16"), "/a", [{"#text": "ü"}], True),
        ("<a>ü</a>".encode("utf-8-sig"), "/a", [{"#text": "ü"}], True),
    ],
)
def test_odd_documents_are_read(text: str | bytes, path: str, rows: list[Any], is_found: bool) -> None:
    found, elements = read(text, path)
    assert (found, elements.is_found, elements.fault) == (rows, is_found, "")


BOMB = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><l>&c;</l>'
ELSEWHERE = '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>'
OUTSIDE = '<!DOCTYPE l SYSTEM "http://10.0.0.1/l.dtd"><l/>'


@in_turn(
    "text, clause, line",
    [
        (BOMB, xml_rows.DTD, 1),
        (ELSEWHERE, xml_rows.DTD, 1),
        (OUTSIDE, xml_rows.DTD, 1),
        ("<a>&b;</a>", "undefined entity", 1),
        ("", "it is empty", 1),
        ("\n", "it is empty", 1),
        ("<a>\n<b>", "no element found", 2),
        ("<a>\n<b></a>", "mismatched tag", 2),
        ('{"a": 1}', "not well-formed (invalid token)", 1),
        ("<a/><b/>", "junk after document element", 1),
        ("<a>&#0;</a>", "reference to invalid character number", 1),
        ("<a>&#xD800;</a>", "reference to invalid character number", 1),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "it is written in an encoding that is not known", 1),
        ("<a>" * 101, xml_rows.TOO_DEEP, 1),
        ("<a>" * 1_000_000, xml_rows.TOO_DEEP, 1),
    ],
)
def test_what_is_wrong_is_said_and_where(text: str, clause: str, line: int) -> None:
    for piece in (1000, 10_000_000):
        with pytest.raises(XMLFaultError) as caught:
            read(text, "//b", piece)
        assert (caught.value.clause, caught.value.line) == (clause, line)


@in_turn("text", ["<a><b>" + "x" * 30_000, "<a><b>" + "<c/>" * 30_000, "<a " + "x" * 30_000, "<a><!-- " + "x" * 30_000])
def test_what_never_ends_is_not_waited_for(text: str) -> None:
    before, xml_rows.LONGEST = xml_rows.LONGEST, 20_000
    try:
        with pytest.raises(XMLFaultError, match="longer than"):
            read(text, "/a/b", 100)
    finally:
        xml_rows.LONGEST = before


@in_turn(
    "fault, said",
    [
        ("<faultcode>x</faultcode><faultstring>No such shop</faultstring>", "No such shop"),
        ("<e:Code/><e:Reason><e:Text xml:lang='en'>No such shop</e:Text></e:Reason>", "No such shop"),
        ("<e:Reason><e:Text xml:lang='en'>One</e:Text><e:Text>Other</e:Text></e:Reason>", "One"),
        ("<other/>", ""),
    ],
)
def test_a_fault_of_soap_is_told(fault: str, said: str) -> None:
    text = f"<e:Envelope xmlns:e='urn:e'><e:Body><e:Fault>{fault}</e:Fault></e:Body></e:Envelope>"
    rows, elements = read(text, "/Envelope/Body/GetResponse/Item")
    assert (rows, elements.fault, elements.is_found) == ([], said, False)


@in_turn("path", ["", "/", "//", "/a//b", "/a[1]", "/a/@id", "a b", "/a" * 31, "///a"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(XMLPathError):
        parse(path)
