"""At most so many calls at once to one host, so that one slow server cannot take them all."""

import asyncio


class Slots:
    """A semaphore for each host: made when a call comes, dropped when the last one is done."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._hosts: dict[str, _Host] = {}

    def __len__(self) -> int:
        """How many hosts have calls under way or waiting."""
        return len(self._hosts)

    def calls(self, host: str) -> int:
        """How many calls of one host are under way or waiting."""
        return self._hosts[host].calls if host in self._hosts else 0

    def of(self, host: str) -> "Slot":
        """Give a context manager that waits until `host` may have one more call."""
        return Slot(self._hosts, host, self._each)


class _Host(asyncio.Semaphore):
    calls = 0


class Slot:
    """One call's place at its host."""

    __slots__ = ("_each", "_host", "_hosts", "_name")

    def __init__(self, hosts: dict[str, _Host], name: str, each: int) -> None:
        self._hosts = hosts
        self._name = name
        self._each = each

    async def __aenter__(self) -> bool:
        """Tell whether there was a wait."""
        host = self._hosts.get(self._name)
        if host is None:
            host = self._hosts[self._name] = _Host(self._each)
        self._host = host
        host.calls += 1
        waits = host.locked()
        try:
            await host.acquire()
        except BaseException:
            self._leave()
            raise
        return waits

    async def __aexit__(self, *exc_info: object) -> None:
        self._host.release()
        self._leave()

    def _leave(self) -> None:
        self._host.calls -= 1
        if not self._host.calls:
            del self._hosts[self._name]
