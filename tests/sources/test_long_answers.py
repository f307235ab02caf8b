"""Long answers: what is not read at all, and how the loop goes on while others are."""

import asyncio
import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from badgerjobs.lib import javascript
from badgerjobs.lib.javascript import Result, Written
from badgerjobs.outbound.appointments import Appointments
from badgerjobs.outbound.calls import Answer
from badgerjobs.runs.outcomes import Later
from badgerjobs.sources import answers
from badgerjobs.sources.fetch import SHORT_BYTES, VALUE_BYTES, Fetched, Means, Unfetched, fetch
from tests.factories import NOW
from tests.sources.fetching import source_of

# What takes longest to read for its length, and is nothing that PostgreSQL keeps as it is.
HOSTILE = b'["\\u0000",%b1]'


class Reads:
    """What is read of answers as JSON: in which turn of the loop each begins, and in which thread."""

    def __init__(self) -> None:
        self.turn = 0
        self.turns: list[int] = []
        self.threads: list[threading.Thread] = []
        self.inside = self.most = 0

    def loads(self, text: str, **how: Any) -> Any:
        self.turns.append(self.turn)
        self.threads.append(threading.current_thread())
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            return json.loads(text, **how)
        finally:
            self.inside -= 1

    async def count(self) -> None:
        while True:
            self.turn += 1
            await asyncio.sleep(0)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    made = Reads()
    monkeypatch.setattr(answers, "json", SimpleNamespace(**vars(json) | {"loads": made.loads}))
    return made


def fetched_together(reads: Reads, body: bytes, times: int, transform: str = "") -> list[Fetched | Unfetched | Later]:
    """So many fetches whose answers come in the same moment."""
    source = source_of(url="https://example.com/", transform=transform)

    async def story() -> list[Fetched | Unfetched | Later]:
        come = asyncio.Event()

        class Client:
            async def send(self, _: Any) -> Answer:
                await come.wait()
                return Answer(
                    200,
                    [("Content-Type", "application/json")],
                    body,
                    truncated=False,
                    duration_ms=1,
                    url="",
                    redirects=0,
                )

        means = Means(Client(), None, Appointments())  # type: ignore[arg-type]
        asked = [asyncio.create_task(fetch(source, {}, means, now=NOW)) for _ in range(times)]
        counter = asyncio.create_task(reads.count())
        come.set()
        try:
            return await asyncio.gather(*asked)
        finally:
            counter.cancel()
            means.heavy.close()

    return asyncio.run(story())


def test_nothing_is_read_of_what_would_be_too_large_to_keep(reads: Reads) -> None:
    came = fetched_together(reads, HOSTILE % (b"[]," * 400_000), 3)
    assert {(one.error_class, one.retry) for one in came if isinstance(one, Unfetched)} == {("too_large", False)}
    assert (len(came), reads.turns) == (3, [])


def test_blanks_do_not_count(reads: Reads) -> None:
    [came] = fetched_together(reads, b"[" + b"1,  \n \t" * 100_000 + b" 1 " + b" " * VALUE_BYTES + b"]", 1)
    assert isinstance(came, Fetched)
    assert came.body == f"[{'1,' * 100_000}1]"


def test_long_answers_are_read_one_by_one_and_the_loop_turns_in_between(
    reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    async def arun(_: str, arguments: Any, **__: Any) -> Result:
        given.append(arguments["response"])
        return Result(1)

    monkeypatch.setattr(javascript, "arun", arun)
    came = fetched_together(reads, HOSTILE % (b"[]," * (SHORT_BYTES // 3)), 5, transform="return 1")
    assert [one.body for one in came if isinstance(one, Fetched)] == ["1"] * 5
    assert reads.most == 1
    assert len(set(reads.turns)) == 5
    assert threading.main_thread() not in reads.threads
    # The sandbox reads the text: here it is not written once more.
    assert {type(one) for one in given} == {Written}


def test_a_long_value_of_a_transform_is_written_aside_too(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    compact = answers.compact

    def seen(value: Any) -> str:
        threads.append(threading.current_thread())
        return compact(value)

    monkeypatch.setattr("badgerjobs.sources.fetch.compact", seen)
    code = f"return 'x'.repeat({SHORT_BYTES})"
    [came] = fetched_together(reads, b"1", 1, transform=code)
    assert isinstance(came, Fetched)
    assert threads != [threading.main_thread()]


def test_short_answers_wait_for_nobody(reads: Reads) -> None:
    fetched_together(reads, b"[" + b" " * (SHORT_BYTES - 2) + b"]", 3)
    assert reads.threads == [threading.main_thread()] * 3
