import asyncio

import pytest

from badgerjobs.outbound.client import Answer, Call, CallFailed
from tests.outbound.hostile import OK, Script, Server, answer, ask, client_for, failure, serving


def lines(request: bytes) -> dict[str, str]:
    """The headers of a request, by lower-case name."""
    head = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in head)}


def follow(*scripts: Script, url: str = "", **call: object) -> tuple[Answer, Server]:
    async def conversation() -> tuple[Answer, Server]:
        async with serving(*scripts, close=False) as server, client_for(server) as client:
            method = str(call.pop("method", "GET"))
            return await client.send(Call(method, server.url + url, **call)), server  # type: ignore[arg-type]

    return asyncio.run(conversation())


def test_five_redirects_are_followed_and_counted() -> None:
    hops = [answer(302, Location=f"/{n}") for n in range(1, 6)]
    got, server = follow(*hops, OK)
    assert (got.status, got.body, got.redirects, got.url) == (200, b"ok", 5, f"{server.url}5")
    assert len(server.requests) == 6


def test_the_sixth_redirect_is_one_too_many() -> None:
    failed = failure(answer(302, Location="/again"))
    assert (failed.error_class, failed.message) == (
        "protocol",
        "Too many redirects: after 5 of them came another one.",
    )


def test_without_redirects_the_answer_is_the_redirect_itself() -> None:
    got = ask(answer(302, b"moved", Location="http://10.0.0.1/"), redirects=0)
    assert (got.status, got.body, got.redirects) == (302, b"moved", 0)


@pytest.mark.parametrize("script", [answer(302, b"nowhere"), answer(304), answer(300, Location="/x")])
def test_a_3xx_that_leads_nowhere_is_an_answer(script: bytes) -> None:
    assert ask(script).redirects == 0


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (301, "PUT", "PUT"),
        (302, "DELETE", "DELETE"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (308, "PATCH", "PATCH"),
    ],
)
def test_a_redirect_keeps_or_changes_the_method_as_browsers_do(status: int, method: str, then: str) -> None:
    script = answer(status, Location="/there")
    headers = [("Content-Type", "text/plain")]
    _, server = follow(script, answer(200), method=method, body=b"payload", headers=headers)
    second = server.requests[1]
    assert second.startswith(f"{then} /there HTTP/1.1\r\n".encode())
    kept = then == method and method != "HEAD"
    assert second.endswith(b"payload") or not kept
    if then == "GET":
        assert not second.endswith(b"payload")
        assert "content-type" not in lines(second)


CREDENTIALS = [
    ("Authorization", "Bearer secret"),
    ("Cookie", "session=secret"),
    ("X-Api-Key", "secret"),
    ("X-Mine", "secret"),
    ("webhook-signature", "v1,secret"),
]


def test_credentials_do_not_reach_another_host() -> None:
    async def conversation() -> tuple[bytes, bytes]:
        async with serving(OK) as other, serving(answer(307, Location=other.url)) as first:
            async with client_for(first, other) as client:
                headers = [*CREDENTIALS, ("X-Plain", "plain"), ("webhook-id", "run")]
                await client.send(Call("GET", first.url, headers, sensitive=frozenset({"x-MINE"})))
            return first.requests[0], other.requests[0]

    first, other = asyncio.run(conversation())
    assert first.count(b"secret") == len(CREDENTIALS)
    assert b"secret" not in other
    assert (lines(other)["x-plain"], lines(other)["webhook-id"]) == ("plain", "run")


def test_credentials_stay_with_the_same_host() -> None:
    _, server = follow(answer(302, Location="/next"), OK, headers=CREDENTIALS)
    assert server.requests[1].count(b"secret") == len(CREDENTIALS)


def test_credentials_that_were_dropped_do_not_come_back() -> None:
    async def conversation() -> list[bytes]:
        there_and_back: list[bytes] = []

        async def send_on(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(there_and_back[0])

        async with serving(send_on) as other, serving(answer(302, Location=other.url), OK) as first:
            there_and_back.append(answer(302, Location=first.url))
            async with client_for(first, other) as client:
                await client.send(Call("GET", first.url, CREDENTIALS, sensitive=frozenset({"X-Mine"})))
            return first.requests

    start, back = asyncio.run(conversation())
    assert b"secret" in start
    assert b"secret" not in back


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/a b", "/a%20b"),
        ("?q=1", "/deep/page?q=1"),
        ("../up", "/up"),
        (" /padded ", "/padded"),
        ("/%7Eme", "/%7Eme"),
        ("#part", "/deep/page"),
    ],
)
def test_a_relative_redirect_is_read_from_where_it_was_sent(location: str, path: str) -> None:
    _, server = follow(answer(302, Location=location), OK, url="deep/page")
    assert server.requests[1].split(b" ")[1].decode() == path


@pytest.mark.parametrize(
    "location",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://user:pass@example.com/",
        "http://[::1/",
        "http://127.1/",
        "http://10.0.0.1/",
        "http://[::ffff:a9fe:a9fe]/latest/meta-data",
        "//localhost/",
        "javascript:alert(1)",
    ],
)
def test_a_redirect_to_what_may_not_be_called_is_refused(location: str) -> None:
    failed = failure(answer(302, Location=location))
    assert failed.error_class == "refused", failed.message


def test_the_time_is_for_all_hops_together() -> None:
    async def slow(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(answer(302, Location="/again"))

    failed = failure(slow, timeout_s=0.25)
    assert failed.error_class == "timeout"
    assert 240 <= failed.duration_ms < 1000


def test_a_redirect_with_a_body_that_does_not_end_is_followed_all_the_same() -> None:
    async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 999999999\r\n\r\nx")
        await writer.drain()
        await asyncio.Event().wait()

    got, _ = follow(endless, OK)
    assert got.body == b"ok"


def test_a_failed_hop_is_named_by_its_own_host() -> None:
    with pytest.raises(CallFailed, match=r"refused: 10\.0\.0\.1 is a private address"):
        ask(answer(302, Location="http://10.0.0.1/"))
