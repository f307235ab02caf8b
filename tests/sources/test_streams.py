"""The connection of a pull: it lasts as long as somebody reads, and asks who may."""

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings

from badgerjobs.outbound.calls import HostBusy
from badgerjobs.outbound.client import Client
from badgerjobs.sources.means import open_means
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.rows.pulling import Given, PullError, pull
from tests.e2e.receiver import Answer, Call, Receiver
from tests.factories import NOW
from tests.outbound.hostile import Server, serving
from tests.sources.fetching import says, source_of
from tests.sources.pulling import fails, pulled_from


def with_server(script: Any, use: Callable[[DataSource, Server], Any], **configuration: Any) -> Any:
    """What comes of using a JSON-lines source whose server does as the script says."""

    async def conversation() -> Any:
        async with serving(script) as server:
            source = source_of("JSONL", url=server.url, **configuration)
            return await use(source, server)

    with override_settings(EGRESS_ALLOW=["127.0.0.1"]):
        return asyncio.run(conversation())


def test_who_stops_reading_ends_the_call() -> None:
    ended: list[int] = []
    has_ended = asyncio.Event()

    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        sent = 0
        try:
            while True:
                writer.write(b'{"id": 1}\n' * 1000)
                await writer.drain()
                sent += 1
        finally:
            ended.append(sent)
            has_ended.set()

    async def first(source: DataSource, _: Server) -> list[Any]:
        async with open_means() as means:
            async with aclosing(pull(source, Given(NOW), means).batches()) as batches:
                found = [await anext(batches), await anext(batches)]
            await has_ended.wait()
            return found

    assert [len(batch) for batch in with_server(endless, first)] == [1000, 1000]
    assert ended[0] < 2000


def test_an_answer_that_breaks_off_fails_after_its_last_whole_rows() -> None:
    async def broken(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{"id": 1}\n{"id": 2}\n{"i')

    async def all_of_it(source: DataSource, _: Server) -> PullError:
        async with open_means() as means:
            with pytest.raises(PullError) as caught:
                _rows = [batch async for batch in pull(source, Given(NOW), means).batches()]
            return caught.value

    error = with_server(broken, all_of_it)
    assert (error.error_class, error.retry) == ("protocol", True)
    assert "broke off in the middle of its answer" in error.sentence


def test_silence_fails_it() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\n\r\n{"id": 1}\n')
        await reader.read()

    async def all_of_it(source: DataSource, _: Server) -> PullError:
        source.configuration = {**source.configuration, "timeout": 0.1}
        async with open_means() as means:
            with pytest.raises(PullError) as caught:
                _rows = [batch async for batch in pull(source, Given(NOW), means).batches()]
            return caught.value

    error = with_server(silent, all_of_it)
    assert (error.error_class, error.retry) == ("timeout", True)
    assert "sent nothing more for 0.1 s" in error.sentence


def test_a_private_address_is_refused() -> None:
    async def all_of_it() -> PullError:
        async with open_means() as means:
            with pytest.raises(PullError) as caught:
                _rows = [
                    one async for one in pull(source_of("CSV", url="http://10.0.0.1/"), Given(NOW), means).batches()
                ]
            return caught.value

    error = asyncio.run(all_of_it())
    assert (error.error_class, error.retry) == ("refused", False)


def test_a_host_that_is_full_says_when_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: Any, **__: Any) -> None:
        raise HostBusy("All connections are busy; the call was not made.", 7)

    monkeypatch.setattr(Client, "stream", full)
    error = fails(lambda _: says("[]"))
    assert (error.error_class, error.retry, error.retry_after) == ("busy", True, timedelta(seconds=7))


def test_a_token_that_is_refused_is_replaced_once() -> None:
    tokens: list[str] = []

    def answer(call: Call) -> Answer:
        if call.path == "/token":
            tokens.append(f"t{len(tokens) + 1}")
            return says(json.dumps({"access_token": tokens[-1], "expires_in": 3600}))
        return says('[{"id": 1}]' if call.headers["authorization"] == "Bearer t2" else "{}",
                    200 if call.headers["authorization"] == "Bearer t2" else 401)  # fmt: skip

    with Receiver() as receiver:
        receiver.answer = answer
        came, calls = pulled_from(
            answer, authentication="oauth2_client", token_url=f"{receiver.url}/token", client_id="c", client_secret="s"
        )
    assert (came.rows, len(calls), tokens) == ([{"id": 1}], 2, ["t1", "t2"])


def test_no_secret_is_repeated() -> None:
    error = fails(lambda _: says('{"detail": "no user with hunter2-token"}', 403), authentication="bearer",
                  token="hunter2-token")  # fmt: skip
    assert "hunter2" not in error.sentence
    error = fails(lambda _: says('{"errors": ["hunter2-token"]}'), rows="$.x", authentication="bearer",
                  token="hunter2-token")  # fmt: skip
    assert "hunter2" not in error.sentence
