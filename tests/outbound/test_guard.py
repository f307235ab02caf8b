"""The guard sits at the socket: it sees literal addresses, looked-up ones, and each hop."""

import asyncio
import json
import socket
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from badgerjobs.outbound import names
from badgerjobs.outbound.addresses import Policy
from badgerjobs.outbound.client import Answer, Call, CallFailed, Client
from badgerjobs.outbound.guard import guarded_by
from badgerjobs.outbound.names import LookUp, SystemLookUp
from tests.outbound.hostile import OK, answer, client_for, serving

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "egress.json").read_text())
REFUSED = [address for address, _ in VECTORS["refused"]]
ALLOWED = [address for address, _ in VECTORS["allowed"]]


def resolver(*answers: Sequence[str]) -> LookUp:
    """A resolver that gives these answers in turn, the last one for ever, whatever is asked."""
    left = list(answers)

    async def look_up(_host: str, _port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return look_up


def send(url: str, *, policy: Policy | None = None, look_up: LookUp | None = None) -> Answer:
    async def call() -> Answer:
        async with Client(policy or Policy(), look_up=look_up) as client:
            return await client.send(Call("GET", url, timeout_s=5))

    return asyncio.run(call())


def refusal(url: str, look_up: LookUp | None = None) -> str:
    with pytest.raises(CallFailed) as caught:
        send(url, look_up=look_up)
    assert caught.value.error_class == "refused", caught.value
    return caught.value.message


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that anything tried to connect to; none is."""
    addresses: list[str] = []

    async def sock_connect(_loop: object, _sock: socket.socket, address: tuple[str, int]) -> None:
        addresses.append(address[0])
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", sock_connect)
    return addresses


@pytest.mark.parametrize("address", REFUSED)
def test_a_refused_address_is_refused_as_a_literal(address: str, connected: list[str]) -> None:
    assert "EGRESS_ALLOW" in refusal(f"http://[{address}]:8080/" if ":" in address else f"http://{address}:8080/")
    assert connected == []


@pytest.mark.parametrize("address", REFUSED)
def test_a_refused_address_is_refused_behind_a_name(address: str, connected: list[str]) -> None:
    message = refusal("https://public.example/", look_up=resolver([address]))
    assert "public.example" in message
    assert "EGRESS_ALLOW" in message
    assert address not in message.replace("public.example", "")
    assert connected == []


@pytest.mark.parametrize("address", ALLOWED)
@pytest.mark.parametrize("literal", [True, False])
def test_a_public_address_is_connected_to(address: str, literal: bool, connected: list[str]) -> None:
    host = (f"[{address}]" if ":" in address else address) if literal else "public.example"
    with pytest.raises(CallFailed, match="connect"):
        send(f"http://{host}/", look_up=resolver([address]))
    assert set(connected) == {address}


@pytest.mark.parametrize("url", VECTORS["urls_refused"])
def test_another_spelling_of_a_refused_address_is_refused(url: str, connected: list[str]) -> None:
    assert refusal(url).endswith(".")
    assert connected == []


def test_of_several_addresses_only_the_allowed_ones_are_tried(connected: list[str]) -> None:
    with pytest.raises(CallFailed, match="connect"):
        send("http://mixed.example/", look_up=resolver(["10.0.0.1", "::1", "1.1.1.1", "127.0.0.1"]))
    assert set(connected) == {"1.1.1.1"}


def test_several_refused_addresses_are_a_refusal(connected: list[str]) -> None:
    refusal("http://inside.example/", look_up=resolver(["10.0.0.1", "fd00::1", "127.0.0.1", "::1"]))
    assert connected == []


def test_a_host_with_very_many_addresses_is_not_tried_for_ever(connected: list[str]) -> None:
    with pytest.raises(CallFailed):
        send("http://many.example/", look_up=resolver([f"1.1.{n // 250}.{n % 250}" for n in range(5000)]))
    assert len(set(connected)) <= 16


def test_a_name_that_changes_between_two_look_ups_is_refused_at_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "KEPT_S", 0)

    async def calls() -> list[str]:
        async with serving(OK) as server:
            port = server.port
            # Nobody else may be on the second address: the whole of 127/8 is loopback.
            changing = resolver(["127.0.0.1"], ["127.0.0.2"])
            async with Client(Policy([f"127.0.0.1:{port}"]), look_up=changing) as client:
                url = f"http://rebinding.example:{port}/"
                first = await client.send(Call("GET", url))
                with pytest.raises(CallFailed) as caught:
                    await client.send(Call("GET", url))
                return [first.body.decode(), caught.value.error_class]

    assert asyncio.run(calls()) == ["ok", "refused"]


def test_the_address_that_was_looked_up_is_the_one_that_is_connected_to(connected: list[str]) -> None:
    asked = []

    async def look_up(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["1.1.1.1"] if len(asked) == 1 else ["127.0.0.1"]

    with pytest.raises(CallFailed, match="connect"):
        send("http://rebinding.example/", look_up=look_up)
    assert asked == ["rebinding.example"]
    assert set(connected) == {"1.1.1.1"}


def test_a_listed_name_does_not_open_its_address_to_other_names() -> None:
    async def calls() -> tuple[int, str]:
        async with serving(OK, close=False) as server:
            policy = Policy([f"mine.example:{server.port}"])
            async with Client(policy, look_up=resolver(["127.0.0.1"])) as client:
                # The first call leaves a kept connection behind; the second must not borrow it.
                got = await client.send(Call("GET", f"http://mine.example:{server.port}/"))
                with pytest.raises(CallFailed) as caught:
                    await client.send(Call("GET", f"http://yours.example:{server.port}/"))
                return got.status, caught.value.error_class

    assert asyncio.run(calls()) == (200, "refused")


def test_a_redirect_to_a_private_address_is_refused() -> None:
    async def call() -> CallFailed:
        async with serving(OK) as inside, serving(answer(302, Location=inside.url)) as outside:
            async with client_for(outside) as client:
                with pytest.raises(CallFailed) as caught:
                    await client.send(Call("GET", outside.url))
            assert inside.connections == 0
            return caught.value

    failed = asyncio.run(call())
    assert failed.error_class == "refused"
    assert "127.0.0.1 is a loopback address" in failed.message


def test_a_name_that_is_not_found_is_a_failure_of_dns() -> None:
    async def look_up(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(CallFailed, match=r"dns: The name api.example.test could not be found \(DNS\)\."):
        send("http://api.example.test/", look_up=look_up)
    with pytest.raises(CallFailed, match="dns: The name"):
        send("http://api.example.test/", look_up=resolver([]))


def test_silent_name_servers_end_with_the_calls_time() -> None:
    async def look_up(_host: str, _port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    async def call() -> None:
        async with Client(Policy(), look_up=look_up) as client:
            await client.send(Call("GET", "http://slow.example/", timeout_s=0.05))

    with pytest.raises(CallFailed, match=r"timeout: slow[.]example did not answer"):
        asyncio.run(call())


def test_sockets_are_not_opened_outside_a_call() -> None:
    with pytest.raises(LookupError):
        guarded_by(Policy(["127.0.0.0/8"]))((2, 1, 6, "", ("127.0.0.1", 80)))


def test_the_systems_look_up_finds_this_machine_and_survives_what_is_no_name() -> None:
    async def look_ups() -> list[str]:
        with pytest.raises(OSError, match="not a host name"):
            await SystemLookUp()("a" * 70 + ".example", 80)
        return list(await SystemLookUp()("localhost", 80))

    assert {"127.0.0.1", "::1"} & set(asyncio.run(look_ups()))


def test_a_look_up_that_is_given_up_does_not_hold_up_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    release, done = threading.Event(), threading.Event()

    def getaddrinfo(*_args: object, **_options: object) -> list[object]:
        release.wait(10)
        done.set()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(CallFailed, match="timeout"):
        asyncio.run(_impatient())
    assert not done.is_set()
    release.set()
    assert done.wait(10)


async def _impatient() -> None:
    async with Client(Policy()) as client:
        await client.send(Call("GET", "http://slow.example/", timeout_s=0.05))
