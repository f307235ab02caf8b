"""Calls code that may be a coroutine function or a plain one."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any


class EndedError(Exception):
    """Code of others wanted to end the process. That is not its to end: who called it is told instead."""


@contextmanager
def contained() -> Iterator[None]:
    """Let code of others end no more than its own call. Raises EndedError, and what else it raises."""
    try:
        yield
    except (SystemExit, KeyboardInterrupt) as error:
        raise EndedError(f"It raised {type(error).__name__}, which ends nothing here.") from error


def called(code: Callable[..., Any], *arguments: Any) -> Any:
    """What it returns, waited for if that must be. Raises what it raises. Not for within a coroutine: it blocks."""
    came = code(*arguments)
    if not inspect.isawaitable(came):
        return came
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_awaited(came))
    # One loop cannot wait for another in the same thread.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _awaited(came)).result()


async def _awaited(came: Awaitable[Any]) -> Any:
    return await came
