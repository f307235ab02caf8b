"""The cache, for whom it does not matter much: when it is away, it is as if nothing stood there."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.connection import AbstractConnection as Connection
from redis.exceptions import ConnectionError, RedisError, ResponseError  # noqa: A004  redis-py calls it so

T = TypeVar("T")

logger = logging.getLogger(__name__)

# A cache that did not answer is not asked again for so long: signing in asks it a dozen times, a page several times,
# and each would wait for its time-out.
QUIET_S = 5.0

_quiet_until = 0.0

_own = threading.local()


def packed(*words: bytes) -> bytes:
    """A command as the server reads it."""
    return b"*%d\r\n" % len(words) + b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words])


class SparedCache(RedisCache):
    """Counts tries, holds short locks and remembers: nobody is kept from anything because it cannot be asked."""

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Whether nothing stood there; true without the cache."""
        return _spared(lambda: super(SparedCache, self).add(key, value, timeout, version), otherwise=True)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """What stands there, else the default."""
        return _spared(lambda: super(SparedCache, self).get(key, default, version), otherwise=default)

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        """Key → what stands there, absent where nothing does."""
        return _spared(lambda: super(SparedCache, self).get_many(keys, version), otherwise={})

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        """Put it there, if that can be done."""
        _spared(lambda: super(SparedCache, self).set(key, value, timeout, version), otherwise=None)

    def set_many(self, data: dict[Any, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> list[Any]:
        """Put all of it there, if that can be done. Returns no keys, as RedisCache does."""
        return _spared(lambda: super(SparedCache, self).set_many(data, timeout, version), otherwise=[])

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """What it counts up to; `delta` without the cache.

        Raises ValueError where nothing stands, and ResponseError where no number does: that is an answer.
        """
        return _spared(lambda: super(SparedCache, self).incr(key, delta, version), otherwise=delta, told=ResponseError)

    def count_up(self, keys: Sequence[Any], amount: int, timeout: int, version: int | None = None) -> list[int | None]:
        """How many stand under each key with so many more: in one trip. They are gone so many seconds after the first.

        None where what stands there is no number. `amount` for each without the cache.
        """
        named = [self.make_and_validate_key(key, version=version) for key in keys]

        def counted() -> list[int | None]:
            trip = self._cache.get_client(named[0], write=True).pipeline()
            for key in named:
                trip.set(key, 0, ex=timeout, nx=True)
                trip.incrby(key, amount)
            answers = trip.execute(raise_on_error=False)[1::2]
            return [answer if isinstance(answer, int) else None for answer in answers]

        return _spared(counted, otherwise=[amount] * len(named))

    def exchange(self, packed: bytes, answers: int, *, insist: bool = False) -> list[Any] | None:
        """What the server answers to commands that are written as it reads them: one trip, in a third of the time.

        An answer may be an error. None without the cache. Who insists has it tried though it was away just now.
        """
        return _spared(lambda: self._exchanged(packed, answers), otherwise=None, insist=insist)

    def _exchanged(self, packed: bytes, answers: int) -> list[Any]:
        try:
            return _sent(self._line(), packed, answers)
        except ConnectionError:  # it was idle for longer than the server likes, or the server was started anew
            return _sent(self._line(), packed, answers)

    def _line(self) -> Connection:
        """The connection of this thread in this process: two on one line would read each other's answers."""
        mine = os.getpid(), self._servers[0]  # type: ignore[attr-defined]  # the stubs do not know them
        if getattr(_own, "of", None) != mine:
            pool = self._cache._get_connection_pool(write=True)  # type: ignore[attr-defined]
            _own.line, _own.of = pool.connection_class(**pool.connection_kwargs), mine
        line: Connection = _own.line
        return line

    def delete(self, key: Any, version: int | None = None) -> bool:
        """Whether something stood there."""
        return _spared(lambda: super(SparedCache, self).delete(key, version), otherwise=False)


def _sent(line: Connection, packed: bytes, answers: int) -> list[Any]:
    line.send_packed_command([packed], check_health=False)  # type: ignore[no-untyped-call]
    return [_answer(line) for _ in range(answers)]


def _answer(line: Connection) -> Any:
    try:
        return line.read_response(disable_decoding=True)
    except ResponseError as error:
        return error


def _spared(ask: Callable[[], T], *, otherwise: T, told: type[Exception] | tuple[()] = (), insist: bool = False) -> T:
    """The answer, or what holds without one. Exceptions of the kind `told` are answers too: the caller gets them."""
    global _quiet_until  # noqa: PLW0603  what one request learns of the cache, the next need not find out
    if time.monotonic() < _quiet_until and not insist:
        return otherwise
    try:
        return ask()
    except told:
        raise
    except RedisError as error:
        _quiet_until = time.monotonic() + QUIET_S
        logger.warning("the cache cannot be asked: nothing is counted, all is computed anew: %s", error)
        return otherwise
