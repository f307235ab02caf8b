"""Pulls a source's rows as a run would, with nothing but its configuration."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from django.test import override_settings

from badgerjobs.outbound.names import Resolver
from badgerjobs.sources.means import open_means
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.rows.pulling import Given, PullError, Pulling, pull
from tests.e2e.receiver import Answer, Call, Receiver
from tests.factories import NOW
from tests.sources.fetching import source_of

Answers = Callable[[Call], Answer]


class Pulled:
    """What came of a pull: its batches, and what it gave besides."""

    def __init__(self, batches: list[list[Any]], pulling: Pulling) -> None:
        self.batches = batches
        self.remembered = pulling.remembered
        self.found = pulling.found

    @property
    def rows(self) -> list[Any]:
        return [row for batch in self.batches for row in batch]


async def _found(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def pulled(
    source: DataSource,
    values: Mapping[str, Any] | None = None,
    *,
    remembered: Any = None,
    allow: Sequence[str] = ("127.0.0.1",),
    most: int | None = None,
) -> Pulled:
    """All batches, or the first so many. Raises PullError.

    Names of servers that are not spoken to by HTTP lead to loopback.
    """

    async def all_of_them() -> Pulled:
        async with open_means() as opened:
            means = replace(opened, resolver=Resolver(_found))
            pulling = pull(source, Given(NOW, values or {}, remembered), means)
            found: list[list[Any]] = []
            async with aclosing(pulling.batches()) as batches:
                async for batch in batches:
                    found.append(batch)
                    if len(found) == most:
                        break
            return Pulled(found, pulling)

    with override_settings(EGRESS_ALLOW=list(allow)):
        return asyncio.run(all_of_them())


def pulled_from(
    answers: Answers, kind: str = "REST", *, path: str = "/", remembered: Any = None, **configuration: Any
) -> tuple[Pulled, list[Call]]:
    """What comes of pulling from a receiver that answers so, and what it was asked. Raises PullError."""
    with Receiver() as receiver:
        receiver.answer = answers
        found = pulled(source_of(kind, url=receiver.url + path, **configuration), remembered=remembered)
        return found, receiver.calls


def fails(answers: Answers, kind: str = "REST", **configuration: Any) -> PullError:
    """The error of a pull that must fail."""
    try:
        found, _ = pulled_from(answers, kind, **configuration)
    except PullError as error:
        return error
    raise AssertionError(f"It did not fail: {found.batches}")
