"""When those who found a host full should come again: one by one, and the later the longer it has been full."""

import random
from dataclasses import dataclass

# Nobody comes again sooner than this, nor is anybody kept away for longer, in seconds.
LEAST_S, MOST_S = 1.0, 900.0
# So many are asked to come in one second.
PER_SECOND = 100
# A host that has turned nobody away for so long is well again.
FORGET_S = 60.0
# More hosts than this are looked through for those that are well.
MANY = 1000


@dataclass(slots=True)
class _Full:
    since: float
    last: float
    booked: float


class Appointments:
    """For each host that turned somebody away lately."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Full] = {}

    def next(self, host: str, now: float) -> float:
        """In how many seconds the next one should come. `now` is a steady clock's, in seconds.

        As long again as the host has been full, or somewhat less: who waited for a host that is well again has waited
        twice as long as it was not. And behind those who were turned away before: a pile comes back bit by bit.
        """
        full = self._hosts.get(host)
        if full is None or now - full.last > FORGET_S:
            full = self._hosts[host] = _Full(now, now, now)
            if len(self._hosts) > MANY:
                self._hosts = {name: one for name, one in self._hosts.items() if now - one.last <= FORGET_S}
        full.last = now
        full.booked = min(max(full.booked + 1 / PER_SECOND, now + LEAST_S), now + MOST_S)
        wait = max(full.booked - now, (now - full.since) * random.uniform(0.5, 1))  # noqa: S311
        return wait if wait < MOST_S else MOST_S * random.uniform(0.5, 1)  # noqa: S311
