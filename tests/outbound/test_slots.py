import asyncio
from functools import partial

import pytest

from badgerjobs.outbound.client import Call, CallFailed
from badgerjobs.outbound.slots import Slots
from tests.outbound.hostile import OK, answer, client_for, serving


def test_a_host_gets_so_many_calls_at_once_and_another_host_its_own() -> None:
    async def calls() -> tuple[int, int]:
        slots, release, inside = Slots(2), asyncio.Event(), []

        async def call(host: str) -> None:
            async with slots.of(host):
                inside.append(host)
                await release.wait()

        tasks = [asyncio.create_task(call(host)) for host in ["a", "a", "a", "a", "b"]]
        for _ in range(5):
            await asyncio.sleep(0)
        at_once = inside.count("a"), inside.count("b")
        release.set()
        await asyncio.gather(*tasks)
        assert inside.count("a") == 4
        assert len(slots) == 0
        return at_once

    assert asyncio.run(calls()) == (2, 1)


def test_a_call_that_gives_up_waiting_leaves_no_trace() -> None:
    async def calls() -> None:
        slots = Slots(1)
        async with slots.of("a"):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01), slots.of("a"):
                    pass
            assert len(slots) == 1
        assert len(slots) == 0
        async with slots.of("a"):
            pass

    asyncio.run(calls())


def test_waiting_for_a_slot_does_not_use_up_the_calls_own_time() -> None:
    async def calls() -> list[int]:
        async def slow(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.2)
            writer.write(OK)

        async with serving(slow) as server, client_for(server, host_slots=1) as client:
            both = [client.send(Call("GET", server.url, timeout_s=0.35)) for _ in range(2)]
            return [answer.duration_ms for answer in await asyncio.gather(*both)]

    assert all(190 <= duration < 350 for duration in asyncio.run(calls()))


def test_a_call_that_never_gets_a_slot_says_so() -> None:
    async def calls() -> CallFailed:
        arrived = asyncio.Event()

        async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            arrived.set()
            await reader.read()

        async with serving(silent) as server, client_for(server, host_slots=1) as client:
            first = asyncio.create_task(client.send(Call("GET", server.url)))
            await arrived.wait()
            with pytest.raises(CallFailed) as caught:
                await client.send(Call("GET", server.url, timeout_s=0.05))
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            return caught.value

    failed = asyncio.run(calls())
    assert failed.error_class == "timeout"
    assert failed.message == "All connections to 127.0.0.1 are busy; the call was not made."


def test_calls_redirected_to_each_others_hosts_do_not_wait_for_each_other() -> None:
    async def calls() -> list[int]:
        urls: dict[str, str] = {}
        both = asyncio.Barrier(2)

        async def redirect(to: str, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await both.wait()
            writer.write(answer(302, Location=urls[to]))

        async def look_up(_host: str, _port: int) -> list[str]:
            return ["127.0.0.1"]

        async with serving(partial(redirect, "b"), OK) as a, serving(partial(redirect, "a"), OK) as b:
            urls.update(a=f"http://a.example:{a.port}/", b=f"http://b.example:{b.port}/")
            async with client_for(a, b, host_slots=1, look_up=look_up) as client:
                started = [client.send(Call("GET", url, timeout_s=5)) for url in urls.values()]
                return [got.status for got in await asyncio.gather(*started)]

    assert asyncio.run(calls()) == [200, 200]
