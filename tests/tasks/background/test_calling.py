"""Code may be a coroutine function or a plain one, wherever it is called."""

import asyncio
from typing import Any

import pytest

from tasks.background.calling import EndedError, called, contained


async def later(value: Any) -> Any:
    await asyncio.sleep(0)
    if isinstance(value, Exception):
        raise value
    return value


class Awaitable:
    def __await__(self) -> Any:
        return later(3).__await__()


@pytest.mark.parametrize("code", [lambda value: value, later])
def test_what_it_gives_is_waited_for(code: Any) -> None:
    assert called(code, 3) == 3


def test_whatever_can_be_waited_for_is() -> None:
    assert called(Awaitable) == 3


def test_what_it_raises_is_raised() -> None:
    with pytest.raises(KeyError):
        called(later, KeyError())


def test_a_loop_that_runs_already_is_no_hindrance() -> None:
    async def outer() -> Any:
        return called(later, 3)

    assert asyncio.run(outer()) == 3


@pytest.mark.parametrize("raised", [SystemExit(1), KeyboardInterrupt()], ids=["exit", "interrupt"])
def test_code_that_would_end_the_process_ends_its_own_call(raised: BaseException) -> None:
    with pytest.raises(EndedError, match=type(raised).__name__), contained():
        raise raised
