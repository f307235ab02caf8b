"""A thread whose driver may connect to one port on loopback, and to nothing else.

Some databases send a driver on to another address, and it goes there by itself. Python tells of every connection that
is about to be made, whoever makes it; a driver that is no Python is not seen.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from badgerjobs.outbound.relay import LOOPBACK

_CONNECTS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_LOOKS_UP = {"socket.getaddrinfo", "socket.gethostbyname"}

_thread = threading.local()
_installing = threading.Lock()
_is_installed = False


class SentAwayError(PermissionError):
    """The driver was about to connect somewhere else."""


@contextmanager
def only_to(port: int) -> Iterator[None]:
    """Within, this thread connects to this port on loopback alone: all else raises SentAwayError."""
    global _is_installed  # noqa: PLW0603  a hook is for ever, and one is enough
    with _installing:
        if not _is_installed:
            sys.addaudithook(_look)
            _is_installed = True
    _thread.port = port
    try:
        yield
    finally:
        _thread.port = None


def _look(event: str, given: tuple[Any, ...]) -> None:
    if not event.startswith("socket."):
        return
    port = getattr(_thread, "port", None)
    if port is None:
        return
    if event in _CONNECTS and given[1] is not None and tuple(given[1])[:2] != (LOOPBACK, port):
        raise SentAwayError("The server sends its callers on to another address, where nobody follows it.")
    if event in _LOOKS_UP and given[0] not in {LOOPBACK, None}:
        raise SentAwayError("The server sends its callers on to another name, where nobody follows it.")
