"""Messages in streams and lists of Redis and Valkey."""

import asyncio
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, TypeVar

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from badgerjobs.lib.said import quoted
from badgerjobs.servers.redis import PASSING, asked, failed, server_of
from badgerjobs.sources.means import Means
from badgerjobs.sources.rows.messages import Message, Taken
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.reaching import Meter, line_to, of_failed

# So many are asked for first, and at most; and so many bytes are wanted at once.
FIRST, MOST_AT_ONCE, WANTED_BYTES = 50, 500, 1_000_000
START = "0-0"

# Takes away what was read, if that is what lies in front still. Returns whether it is.
TAKE_AWAY = """
local there = redis.call('LRANGE', KEYS[1], 0, ARGV[1] - 1)
local said = {}
for place, one in ipairs(there) do said[place] = redis.sha1hex(one) end
if redis.sha1hex(table.concat(said)) ~= ARGV[2] then return 0 end
redis.call('LTRIM', KEYS[1], ARGV[1], -1)
return 1
"""
OTHERS = "Others take from the list “{}” too, so what was read was not taken away, and may come again."
STRANGE = "{} answered with something that Redis does not answer with."

T = TypeVar("T")


class RedisReader(ABC):
    """What both have in common: a connection, and pages that are neither too short nor too long."""

    def __init__(self, configuration: Mapping[str, Any], means: Means, _remembered: Any) -> None:
        self._given, self._means = configuration, means
        self._name: str = configuration["name"]
        self._stack = AsyncExitStack()
        self._server: AbstractConnection | None = None
        self._meter: Meter | None = None
        self._count = FIRST

    async def open(self, _most: int) -> None:
        """See `Reader`."""
        line = await self._stack.enter_async_context(line_to(self._given, self._means))
        self._meter = Meter(line, self._given["host"])
        self._server = server = server_of(self._given, line)
        self._stack.push_async_callback(server.disconnect, nowait=True)
        await self._in_time(server.connect)

    async def close(self) -> None:
        """See `Reader`."""
        await self._stack.aclose()

    async def some(self, most: int) -> Taken:
        """See `Reader`."""
        while True:
            count = min(most, self._count)
            try:
                messages = await self._page(count)
            except PullError as error:
                if error.error_class != "too_large" or count == 1:
                    raise
                self._count = max(1, count // 8)  # several long ones together: nothing is lost, they are asked anew
                await self.close()
                await self.open(most)
                continue
            assert self._meter  # noqa: S101
            length = self._meter.taken()
            each = length // max(1, len(messages)) + 1
            self._count = max(1, min(4 * count, MOST_AT_ONCE, WANTED_BYTES // each))
            return messages, length

    @abstractmethod
    async def _page(self, count: int) -> Sequence[Message]:
        """The next ones. Raises PullError."""

    async def _asked(self, *command: Any) -> Any:
        """The answer to a command. Raises PullError."""
        assert self._server  # noqa: S101
        server = self._server
        return await self._in_time(lambda: asked(server, *command))

    async def _in_time(self, work: Callable[[], Awaitable[T]]) -> T:
        timeout_s, host = self._given["timeout"], self._given["host"]
        try:
            return await asyncio.wait_for(_of(work), timeout_s)
        except TimeoutError:
            raise PullError("timeout", f"{host} did not answer within {timeout_s:g} s.") from None
        except (RedisError, OSError) as error:
            raise self._fault(error) from None
        except (ValueError, LookupError, TypeError, RecursionError):
            raise PullError("protocol", STRANGE.format(host), retry=False) from None

    def _fault(self, error: RedisError | OSError) -> PullError:
        if self._meter and (fault := self._meter.fault()):
            return fault
        if told := failed(error, self._given):
            return of_failed(told)
        said = str(error)
        if said.startswith("WRONGTYPE"):
            return PullError("rejected", f"“{self._name}” is there, and is no {self._given['place']}.", retry=False)
        sentence = f"{self._given['host']} refused: {quoted(said, [self._given['password']])}"
        return PullError("rejected", sentence, retry=said.startswith(PASSING))

    def _strange(self) -> PullError:
        return PullError("protocol", STRANGE.format(self._given["host"]), retry=False)


class StreamReader(RedisReader):
    """Entries of a stream, from the last one on that was kept: nothing is acknowledged, and none comes twice."""

    def __init__(self, configuration: Mapping[str, Any], means: Means, remembered: Any) -> None:
        super().__init__(configuration, means, remembered)
        known = remembered if isinstance(remembered, dict) else {}
        self._last = str(known.get("id", START)) if known.get("stream") == self._name else START

    @property
    def remembered(self) -> Any:
        """The last entry, and of which stream."""
        return {"stream": self._name, "id": self._last} if self._last != START else None

    async def acknowledge(self) -> None:
        """See `Reader`: the last entry is remembered with the rows, and the stream forgets nothing."""

    async def _page(self, count: int) -> Sequence[Message]:
        answer = await self._asked("XRANGE", self._name, f"({self._last}", "+", "COUNT", count)
        try:
            messages = [_entry(*one) for one in answer]
        except (ValueError, TypeError, LookupError, AttributeError):
            raise self._strange() from None
        if messages:
            self._last = messages[-1].about["id"]
        return messages


class ListReader(RedisReader):
    """What lies on a list, from its beginning. It is taken away when it is kept, if it lies there still."""

    remembered: Any = None

    def __init__(self, configuration: Mapping[str, Any], means: Means, remembered: Any) -> None:
        super().__init__(configuration, means, remembered)
        self._pages: list[tuple[int, str]] = []
        self._read = 0

    async def _page(self, count: int) -> Sequence[Message]:
        answer = await self._asked("LRANGE", self._name, self._read, self._read + count - 1)
        if not isinstance(answer, list) or not all(isinstance(one, bytes) for one in answer):
            raise self._strange()
        if answer:
            self._read += len(answer)
            self._pages.append((len(answer), _digest(answer)))
        return [Message(one) for one in answer]

    async def acknowledge(self) -> None:
        """See `Reader`. By a connection of its own: meanwhile, the other may have been given up."""
        if not self._pages:
            return
        await self.close()
        await self.open(1)
        for count, digest in self._pages:
            if await self._asked("EVAL", TAKE_AWAY, 1, self._name, count, digest) != 1:
                raise PullError("rejected", OTHERS.format(self._name))


async def _of(work: Callable[[], Awaitable[T]]) -> T:
    return await work()


def _entry(number: bytes, pairs: Sequence[bytes]) -> Message:
    text = number.decode()
    moment = datetime.fromtimestamp(int(text.partition("-")[0]) / 1000, UTC)
    names = [name.decode(errors="replace") for name in pairs[::2]]
    fields = dict(zip(names, map(bytes, pairs[1::2]), strict=True))
    return Message(fields=fields, about={"id": text, "time": moment.isoformat(timespec="milliseconds")})


def _digest(bodies: Sequence[bytes]) -> str:
    """As the script makes it."""
    each = "".join(hashlib.sha1(one, usedforsecurity=False).hexdigest() for one in bodies)
    return hashlib.sha1(each.encode(), usedforsecurity=False).hexdigest()
