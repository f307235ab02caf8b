"""What fetching and pulling need, whatever the source."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from django.conf import settings

from badgerjobs.lib.heavy import Heavy
from badgerjobs.outbound.addresses import Policy
from badgerjobs.outbound.appointments import Appointments
from badgerjobs.outbound.client import Client
from badgerjobs.outbound.names import Resolver
from badgerjobs.sources.oauth import Tokens
from badgerjobs.web.outgoing import open_client


@dataclass(frozen=True, slots=True)
class Means:
    """What fetching shares on one event loop.

    `transforms` says when those that the sandbox has no room for come again, by their workspaces. `heavy` is where
    long answers are read, one at a time. `policy` and `resolver` are for servers that are not spoken to by HTTP.
    """

    client: Client
    tokens: Tokens
    transforms: Appointments
    heavy: Heavy = field(default_factory=Heavy)
    policy: Policy = field(default_factory=lambda: Policy(settings.EGRESS_ALLOW))
    resolver: Resolver = field(default_factory=Resolver)


@asynccontextmanager
async def open_means() -> AsyncIterator[Means]:
    """For one event loop."""
    async with open_client() as client:
        tokens, heavy = Tokens(client), Heavy()
        try:
            yield Means(client, tokens, Appointments(), heavy)
        finally:
            heavy.close()
            await tokens.close()
