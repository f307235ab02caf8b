"""REST sources: values in the URL, the headers and the body, and the answer as it is kept."""

import hashlib
import json
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from badgerjobs.outbound.calls import Call
from badgerjobs.sources.fetch import Fetched
from badgerjobs.sources.types.rest import prepare
from tests.e2e.receiver import Receiver
from tests.factories import NOW
from tests.sources.fetching import outcome, says, source_of, unfetched

URL = "https://example.com"


def prepared(values: dict[str, Any], **configuration: Any) -> Call:
    return prepare(source_of(**{"url": URL, **configuration}).configuration, values, NOW)


def test_it_calls_for_real_and_keeps_the_answer() -> None:
    with Receiver() as receiver:
        receiver.answer = lambda _: says('{"name": "Lamp", "price": 10.50}')
        source = source_of(
            url=f"{receiver.url}/products/{{{{ID}}}}?lang={{{{LANG}}}}",
            method="post",
            query={"at": "{{now date}}", "a b": "{{ID}}&"},
            headers={"X-Shop": "{{SHOP}}"},
            body='{"id": {{ID}}, "note": "for {{SHOP}}"}',
        )
        came = outcome(source, {"ID": 7, "LANG": "a/b c", "SHOP": 'the "shop"'})
        [call] = receiver.calls

    assert source.variables == ["ID", "LANG", "SHOP"]
    assert (call.method, call.path) == ("POST", "/products/7?lang=a%2Fb%20c&at=2026-03-02&a%20b=7%26")
    assert (call.headers["x-shop"], call.headers["user-agent"]) == ('the "shop"', "BadgerJobs/1")
    assert (call.headers["content-type"], json.loads(call.body)) == (
        "application/json", {"id": 7, "note": 'for the "shop"'},
    )  # fmt: skip
    assert isinstance(came, Fetched)
    assert (came.body, came.status) == ('{"name":"Lamp","price":10.50}', 200)
    assert (came.bytes, came.etag) == (29, hashlib.sha256(came.body.encode()).hexdigest())


@pytest.mark.parametrize(
    ("url", "called"),
    [
        ("/a/{{ID}}", "/a/%2F..%2Fb%3Fc%23d"),
        ("/a?x={{ID}}", "/a?x=%2F..%2Fb%3Fc%23d"),
        ("/a#{{ID}}", "/a#%2F..%2Fb%3Fc%23d"),
    ],
)
def test_no_value_leads_elsewhere(url: str, called: str) -> None:
    assert prepared({"ID": "/../b?c#d"}, url=f"{URL}{url}").url == f"{URL}{called}"


@pytest.mark.parametrize(
    ("url", "called"),
    [
        (f"{URL}/", f"{URL}/?a=1"),
        (f"{URL}/?b=2", f"{URL}/?b=2&a=1"),
        (f"{URL}/?", f"{URL}/?a=1"),
        (f"{URL}/?b=2&", f"{URL}/?b=2&a=1"),
        (f"{URL}/?b#part", f"{URL}/?b&a=1#part"),
    ],
)
def test_parameters_stand_behind_those_of_the_url(url: str, called: str) -> None:
    assert prepared({}, url=url, query={"a": "1"}).url == called


@pytest.mark.parametrize(
    ("headers", "body", "sent"),
    [
        ({"Content-Type": "application/json; charset=utf-8"}, '"{{A}}"', b'"a\\"b"'),
        ({"content-type": "application/problem+json"}, "{{A}}", b'"a\\"b"'),
        ({}, '{"a": "{{A}}"}', b'{"a": "a\\"b"}'),
        ({}, "a: {{A}}", b'a: a"b'),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "a={{A}}", b"a=a%22b"),
    ],
)
def test_a_value_is_escaped_as_the_body_is_read(headers: dict[str, str], body: str, sent: bytes) -> None:
    assert prepared({"A": 'a"b'}, headers=headers, body=body).body == sent


@pytest.mark.parametrize(
    ("values", "configuration", "sentence"),
    [
        ({}, {"url": f"{URL}/{{{{A}}}}/{{{{B}}}}"}, "No value is given for the variables A, B."),
        ({"a": 1}, {"url": f"{URL}/{{{{A}}}}"}, "No value is given for the variable A."),
        ({"A": ".."}, {"url": f"{URL}/{{{{A}}}}"}, "A is “..”, which would lead to another path of the URL."),
        ({"A": "x\r\nX-Admin: 1"}, {"headers": {"X-A": "{{A}}"}}, "A cannot stand in a header"),
        ({"A": "ä"}, {"headers": {"X-A": "{{A}}"}}, "A cannot stand in a header"),
        ({"A": "x" * 2_000_000}, {"body": "{{A}}"}, "With the values in it the body is longer than 1,000,000"),
        ({"A": "x" * 2_000_000}, {"query": {"a": "{{A}}"}}, "With the values in it its URL with the headers is longer"),
        ({"A": "ä" * 600_000}, {"body": "{{A}}"}, "With the values in it the body has 1,200,000 bytes"),
        ({"A": "x" * 40_000}, {"headers": {"X-A": "{{A}}"}}, "A call may have 100 headers, 32 KB in all."),
    ],
    ids=["missing", "case", "dots", "lines", "letters", "long body", "long query", "bytes", "long header"],
)
def test_values_that_make_no_call_fail_at_once(values: Any, configuration: Any, sentence: str) -> None:
    came = unfetched(source_of(**{"url": URL, **configuration}), values)
    assert (came.error_class, came.retry, came.status) == ("variables", False, None)
    assert sentence in came.error


@pytest.mark.parametrize(
    ("configuration", "field", "sentence"),
    [
        ({"url": "https://{{HOST}}/"}, "url", "Scheme, host and port are fixed"),
        ({"url": "ftp://example.com"}, "url", "Only http:// and https://"),
        ({"url": f"{URL}/{{{{a.b}}}}"}, "url", "“a.b” is no name of a variable: a flat one is, like PRODUCT_ID"),
        ({"url": f"{URL}/{{{{now never}}}}"}, "url", "“never” is no format of a time"),
        ({"url": f"{URL}/{{{{a b}}}}"}, "url", "is no placeholder: write a name, like {{PRODUCT_ID}}."),
        ({"url": f"{URL}/{{{{a"}, "url", "“{{a” is no placeholder: write {{PRODUCT_ID}}."),
        ({"headers": {"X-A": "{{"}}, "headers", "X-A: “{{” is no placeholder: write {{PRODUCT_ID}}."),
        ({"headers": {"Host": "b"}}, "headers", "belongs to the connection"),
        ({"query": {"a": "{{a.b}}"}}, "query", "is no name of a variable"),
        ({"query": {str(n): "" for n in range(101)}}, "query", "at most 100"),
        ({"body": "{{a.b}}"}, "body", "is no name of a variable"),
        ({"method": "DELETE"}, "method", "“DELETE” is none of GET, POST, PUT, PATCH."),
        ({"timeout": 301}, "timeout", "300"),
        ({"verb": "GET"}, "verb", "There are only"),
    ],
)
def test_a_configuration_that_is_wrong_is_refused_by_its_field(
    configuration: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        source_of(**{"url": URL, **configuration})
    assert sentence in str(refused.value.detail["configuration"][field])  # type: ignore[index, call-overload]
