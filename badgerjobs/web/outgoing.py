"""The HTTP door as this installation has it: by its settings, and with the built-in receiver where there is one."""

from contextlib import AbstractAsyncContextManager

from django.conf import settings

from badgerjobs.lib.listening import location, reached_at
from badgerjobs.outbound.addresses import Policy
from badgerjobs.outbound.client import Client

USER_AGENT = "BadgerJobs/1"


def echo_address(path: str) -> str:
    """Where a path below `/echo/` is called from this machine."""
    return f"http://{location(reached_at(settings.HOST), settings.PORT)}/echo/{path}"


def open_client() -> AbstractAsyncContextManager[Client]:
    """The HTTP door of one event loop."""
    own = echo_address("") if settings.DEMO else None
    return Client(Policy(settings.EGRESS_ALLOW), host_slots=settings.HOST_SLOTS, own_receiver=own)
