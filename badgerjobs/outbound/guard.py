"""The guard at the socket: every address that is connected to passes here, whoever named it."""

import socket
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from badgerjobs.outbound.addresses import Policy, Refused

AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]


@dataclass(slots=True)
class Hop:
    """One request of a call: whom it means to reach, and what the guard saw while it connected."""

    host: str
    opened: int = 0
    refusal: Refused | None = None


# Set by whoever sends, in the task that sends: connections are made in that task and its children.
HOP: ContextVar[Hop] = ContextVar("hop")


def guarded_by(policy: Policy) -> Callable[[AddressInfo], socket.socket]:
    """Make a maker of sockets for addresses that `policy` lets pass. Without a hop nothing is opened: LookupError."""

    def open_socket(info: AddressInfo) -> socket.socket:
        hop = HOP.get()
        address, port = info[4][:2]
        try:
            policy.check(address, port, hop.host)
        except Refused as refusal:
            hop.refusal = refusal
            raise
        hop.opened += 1
        return socket.socket(*info[:3])

    return open_socket


def only(host: str, port: int) -> Callable[[AddressInfo], socket.socket]:
    """Make a maker of sockets for one address: the demo's own receiver."""

    def open_socket(info: AddressInfo) -> socket.socket:
        if info[4][:2] != (host, port):
            raise Refused(f"{info[4][0]} is not this service's own receiver.")
        HOP.get().opened += 1
        return socket.socket(*info[:3])

    return open_socket
