"""Servers that are not spoken to by HTTP: a line to their checked address, on which what comes back is counted."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from badgerjobs.outbound.relay import Line, Unreachable, relayed
from badgerjobs.runs.outcomes import Failed
from badgerjobs.sources.means import Means
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.streams import MOST_BYTES

# What may come between two rows: the longest row, and what lies ready behind it.
AHEAD_BYTES = 32 * 1024 * 1024

LATE = "{} gave no more rows within {} s."
TOO_MUCH = "{} gave more than {:,} bytes, which is the most that one pull reads."
TOO_LONG = "{} gave a row of more than {} MB: ask for less of it."


@asynccontextmanager
async def line_to(configuration: Mapping[str, Any], means: Means) -> AsyncIterator[Line]:
    """A line to its `host` and `port`, for one connection. Raises PullError where there is none.

    It is cut after `AHEAD_BYTES`: who takes rows off it gives it more, see `Meter`.
    """
    try:
        async with relayed(
            configuration["host"], configuration["port"], policy=means.policy, resolver=means.resolver,
            most_bytes=AHEAD_BYTES,
        ) as line:  # fmt: skip
            yield line
    except Unreachable as error:
        raise PullError(error.error_class, error.message, retry=error.error_class != "refused") from None


class Meter:
    """Counts what comes on a line, and gives it as much again: neither one row nor all of them are too long."""

    def __init__(self, line: Line, host: str) -> None:
        self._line, self._host = line, host
        self._total = 0

    @property
    def came(self) -> int:
        """So many bytes since the last `taken`."""
        return AHEAD_BYTES - self._line.left

    def taken(self) -> int:
        """A row, or more, was taken off it: so many bytes came. Raises PullError for too many in all."""
        came, self._line.left = self.came, AHEAD_BYTES
        self._total += came
        if self._total > MOST_BYTES:
            raise PullError("too_large", TOO_MUCH.format(self._host, MOST_BYTES), retry=False)
        return came

    def fault(self) -> PullError | None:
        """Why it was cut, if it was."""
        if not self._line.is_full:
            return None
        return PullError("too_large", TOO_LONG.format(self._host, AHEAD_BYTES // 1024 // 1024), retry=False)


def of_failed(told: Failed) -> PullError:
    """The same in the words of pulls."""
    return PullError(told.error_class, told.error, retry=told.retry)
