"""A host and a port that a server listens on, as others write them."""

import socket
from ipaddress import ip_address

# Who listens on every address is reached on this machine's own.
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def is_everywhere(host: str) -> bool:
    """Whether to listen on this host is to listen on every address of the machine."""
    return host in _EVERYWHERE


def reached_at(host: str) -> str:
    """Give the IP address at which a server that listens on `host` is reached from this machine.

    A name is looked up, which may block; one that is not known comes back as it is.
    """
    host = _EVERYWHERE.get(host, host)
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    try:
        return socket.gethostbyname(host)  # by IPv4, as the web server itself binds a name
    except (OSError, UnicodeError):
        return host


def bracketed(host: str) -> str:
    """Write a host as URLs and `Host:` headers do: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def location(host: str, port: int) -> str:
    """Write host and port in one: `127.0.0.1:8000`, `[::1]:8000`."""
    return f"{bracketed(host)}:{port}"
