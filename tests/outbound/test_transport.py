"""The same door for libraries that want an httpx client."""

import asyncio
import gzip
from typing import Any

import httpx
import pytest

from badgerjobs.outbound.client import CallFailed
from tests.outbound.hostile import OK, Script, Server, answer, client_for, serving


def through_httpx(*scripts: Script, url: str = "", **request: Any) -> tuple[httpx.Response, Server]:
    async def call() -> tuple[httpx.Response, Server]:
        async with serving(*scripts, close=False) as server, client_for(server) as client:
            browser = httpx.AsyncClient(transport=client.transport(), follow_redirects=True)
            method = request.pop("method", "GET")
            return await browser.request(method, url or server.url, **request), server

    return asyncio.run(call())


def test_an_httpx_client_calls_through_the_guard() -> None:
    script = answer(201, gzip.compress(b'{"a": 1}'), Content_Encoding="gzip", Content_Type="application/json")
    got, server = through_httpx(script, method="POST", json={"b": 2}, headers={"X-A": "1"})
    assert (got.status_code, got.json()) == (201, {"a": 1})
    assert b"\r\nx-a: 1\r\n" in server.requests[0].lower()
    assert server.requests[0].endswith(b'{"b":2}')


def test_its_redirects_are_guarded_too() -> None:
    got, _ = through_httpx(answer(302, Location="/next"), OK)
    assert (got.text, len(got.history)) == ("ok", 1)
    with pytest.raises(httpx.UnsupportedProtocol, match="EGRESS_ALLOW"):
        through_httpx(answer(302, Location="http://10.0.0.1/"))


@pytest.mark.parametrize(
    ("url", "scripts", "raised"),
    [
        ("http://127.0.0.1:1/", [OK], httpx.UnsupportedProtocol),
        ("", [b"garbage"], httpx.RemoteProtocolError),
        ("", [b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n"], httpx.ReadError),
    ],
)
def test_a_failure_is_one_of_httpxs_with_ours_as_its_cause(
    url: str, scripts: list[bytes], raised: type[httpx.TransportError]
) -> None:
    with pytest.raises(raised) as caught:
        through_httpx(*scripts, url=url)
    assert isinstance(caught.value.__cause__, CallFailed)


def test_its_timeout_is_the_longest_of_httpxs() -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    with pytest.raises(httpx.ReadTimeout, match=r"within 0\.05 s"):
        through_httpx(silent, timeout=0.05)
