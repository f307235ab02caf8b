"""Look-ups: shared, bounded, ended when nobody waits, and no tenant's silent names stop another's good ones."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence

import pytest

from badgerjobs.outbound import names
from badgerjobs.outbound.addresses import Policy
from badgerjobs.outbound.client import Call, CallFailed, Client
from badgerjobs.outbound.names import CrowdedError, Resolver, SystemLookUp, domain_of


class Names:
    """Stands in for getaddrinfo: what ends with `.silent.example` gets no answer until the test is over."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.asked: list[str] = []
        self.five_asked = threading.Event()

    def __call__(self, host: str, *_args: object, **_options: object) -> list[tuple[object, ...]]:
        self.asked.append(host)
        if len(self.asked) == 5:
            self.five_asked.set()
        if "silent" in host:
            self.release.wait(20)
            raise socket.gaierror(socket.EAI_AGAIN, "silent")
        return [(2, 1, 6, "", ("127.0.0.1", 0))]


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    known = Names()
    monkeypatch.setattr(socket, "getaddrinfo", known)
    yield known
    known.release.set()


async def failed(client: Client, host: str, timeout_s: float) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        await client.send(Call("GET", f"http://{host}/", timeout_s=timeout_s))
    return caught.value


def test_silent_names_of_one_domain_leave_the_others_their_look_ups(system: Names) -> None:
    async def calls() -> tuple[set[str], str]:
        async with Client(Policy()) as client:
            hosts = [f"n{number}.silent.example" for number in range(400)]
            ends = await asyncio.gather(*(failed(client, host, 0.3) for host in hosts))
            # Found, and then refused for what it leads to: the look-up went through.
            return {end.error_class for end in ends}, (await failed(client, "good.example.org", 4)).error_class

    assert asyncio.run(calls()) == ({"timeout"}, "refused")
    assert len(system.asked) <= names.AT_ONCE_PER_DOMAIN + 1


def test_look_ups_that_nobody_waits_for_any_more_are_not_made(system: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "AT_ONCE", 1)

    async def calls() -> str:
        async with Client(Policy()) as client:
            hosts = [f"silent{number}.test" for number in range(50)]
            await asyncio.gather(*(failed(client, host, 0.1) for host in hosts))
            system.release.set()
            return (await failed(client, "good.example.org", 4)).error_class

    assert asyncio.run(calls()) == "refused"
    assert len(system.asked) == 2


def test_a_look_up_that_lasts_is_a_failure_of_dns(system: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "LOOK_UP_S", 0.05)

    async def call() -> CallFailed:
        async with Client(Policy()) as client:
            return await failed(client, "api.silent.example", 10)

    failure = asyncio.run(call())
    assert (failure.error_class, failure.message) == (
        "dns",
        "The name api.silent.example could not be looked up just now: no name server answered (DNS).",
    )


@pytest.mark.parametrize(("bound", "other"), [("MOST_WAITING", False), ("MOST_WAITING_PER_DOMAIN", True)])
def test_what_waits_for_look_ups_is_bounded(
    system: Names, monkeypatch: pytest.MonkeyPatch, bound: str, other: bool
) -> None:
    monkeypatch.setattr(names, bound, 5)

    async def look_ups() -> tuple[list[str], bool]:
        look_up = SystemLookUp()
        waiting = [asyncio.create_task(look_up(f"{number}.silent.example", 80)) for number in range(5)]
        await asyncio.to_thread(system.five_asked.wait, 10)
        with pytest.raises(CrowdedError):
            await look_up("6.silent.example", 80)
        try:
            found = await look_up("good.example.org", 80)
        except CrowdedError:
            found = []
        for task in waiting:
            task.cancel()
        return list(found), bool(found)

    assert asyncio.run(look_ups()) == (["127.0.0.1"] if other else [], other)


def test_a_crowd_is_said_to_be_one() -> None:
    async def look_up(_host: str, _port: int) -> Sequence[str]:
        raise CrowdedError

    async def call() -> CallFailed:
        async with Client(Policy(), look_up=look_up) as client:
            return await failed(client, "api.example.test", 5)

    failure = asyncio.run(call())
    assert (failure.error_class, "too many look-ups are under way" in failure.message) == ("dns", True)


class Asked:
    """A look-up that counts, waits to be let go, and knows whether it was ended."""

    def __init__(self, *found: str) -> None:
        self.count = 0
        self.ended = False
        self.go = asyncio.Event()
        self._found = found

    async def __call__(self, _host: str, _port: int) -> Sequence[str]:
        self.count += 1
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.ended = True
            raise
        return self._found


@pytest.mark.parametrize("gives_up", [0, 2])
def test_calls_for_one_name_share_a_look_up_even_when_one_of_them_gives_up(gives_up: int) -> None:
    async def look_ups() -> tuple[int, list[str]]:
        asked = Asked("1.1.1.1")
        resolver = Resolver(asked)
        waiting = [asyncio.create_task(resolver.resolve("a.example", port)) for port in (80, 443, 8080)]
        await asyncio.sleep(0)
        waiting.pop(gives_up).cancel()
        await asyncio.sleep(0)
        asked.go.set()
        found = await asyncio.gather(*waiting)
        await resolver.resolve("a.example", 80)
        return asked.count, [one[0]["host"] for one in found]

    assert asyncio.run(look_ups()) == (1, ["1.1.1.1", "1.1.1.1"])


def test_a_look_up_ends_with_the_last_who_waits_and_the_next_call_begins_anew() -> None:
    async def look_ups() -> tuple[bool, int, str]:
        asked = Asked("1.1.1.1")
        resolver = Resolver(asked)
        waiting = [asyncio.create_task(resolver.resolve("a.example", 80)) for _ in range(2)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        asked.go.set()
        found = await resolver.resolve("a.example", 80)
        return asked.ended, asked.count, found[0]["host"]

    assert asyncio.run(look_ups()) == (True, 2, "1.1.1.1")


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("example.com", "example.com"),
        ("a.b.example.com", "example.com"),
        ("a.b.example.com.", "example.com"),
        ("a.example.co.uk", "example.co.uk"),
        ("shop.example.de", "example.de"),
        ("db", "db"),
        ("co.uk", "co.uk"),
    ],
)
def test_a_domain_is_what_one_owner_has(host: str, domain: str) -> None:
    assert domain_of(host) == domain
