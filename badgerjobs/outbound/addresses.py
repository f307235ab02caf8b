"""Which addresses may be called. Asked with the address that is being connected to, at the moment of connecting."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from badgerjobs.outbound.networks import Address, kind_of, means_here, unwrapped

Network = IPv4Network | IPv6Network
# A host name as a list of servers writes it: `db`, `my_service`, `api.example.com`.
NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
ENTRY = re.compile(r"(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>\d{1,5}))?")


class Refused(OSError):  # noqa: N818  the word that users read
    """This address may not be called. The message is for the person whose call it was.

    An OSError, because what connects sockets goes on to a host's next address only after one of those.
    """


class Policy:
    """Public addresses may be called, all others only if EGRESS_ALLOW lists them.

    An entry is `name`, `name:port`, an address with or without a port (`10.1.2.3`, `10.1.2.3:8080`, `[fd00::5]:8080`),
    or a network (`10.0.0.0/8`). A name allows whatever it resolves to, in URLs that say that name. Raises ValueError,
    naming the entry, on anything else.
    """

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._names: set[tuple[str, int | None]] = set()
        self._networks: list[tuple[Network, int | None]] = []
        for entry in allow:
            self._add(entry)

    def check(self, address: str, port: int, host: str = "") -> None:
        """Raise `Refused` unless `address` may be connected to; `host` is what the caller's URL said.

        What cannot be understood is refused. The message names what the caller wrote and the kind of network, never the
        address behind a name: a job must not map the network it runs in.
        """
        try:
            found: Address = unwrapped(ip_address(address))
        except ValueError:
            raise Refused(f"{host or address} did not resolve to an IP address.") from None
        kind = kind_of(found)
        if kind is None or self._lists(found, port) or self._names_host(host, port):
            return
        raise Refused(_refusal(host or address, port, kind, literal=_is_literal(host or address)))

    def check_name(self, host: str, port: int) -> None:
        """Raise `Refused` for a name that can only mean this network (`localhost`, `*.internal`), before any look-up.

        With an address listed for that port it is looked up, and the address decides.
        """
        if not means_here(host) or self._names_host(host, port):
            return
        if not any(listed is None or listed == port for _, listed in self._networks):
            raise Refused(_refusal(host, port, "this machine's or a private", literal=False))

    def _lists(self, address: Address, port: int) -> bool:
        return any(listed in (None, port) and address in network for network, listed in self._networks)

    def _names_host(self, host: str, port: int) -> bool:
        name = host.rstrip(".").lower()
        return (name, None) in self._names or (name, port) in self._names

    def _add(self, entry: str) -> None:
        match = ENTRY.fullmatch(entry)
        port = int(match["port"]) if match and match["port"] else None
        host = (match["v6"] or match["host"]) if match and "/" not in entry else entry
        known_port = port is None or 0 < port < 65536
        if known_port and (network := _network(host)):
            self._networks.append((network, port))
        elif known_port and match and not match["v6"] and _is_name(host):
            self._names.add((host.rstrip(".").lower(), port))
        else:
            raise ValueError(
                f"EGRESS_ALLOW: {entry!r} is none of name, name:port, address, address:port, [IPv6]:port, network/bits."
            )


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_name(host: str) -> bool:
    name = host.rstrip(".").lower()
    return bool(NAME.fullmatch(name)) and len(name) <= 253 and not name.rpartition(".")[2].isdigit()


def _network(text: str) -> Network | None:
    """Read an address or a network, unwrapped; None for anything else."""
    try:
        return ip_network(unwrapped(ip_address(text)))
    except ValueError:
        pass
    try:
        return ip_network(text)
    except ValueError:
        return None


def _refusal(host: str, port: int, kind: str, *, literal: bool) -> str:
    verb = "is" if literal else "leads to"
    entry = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return (
        f"{host} {verb} {kind} address, and such addresses may not be called. "
        f"If this one should be, the operator of this service can list {entry} in EGRESS_ALLOW."
    )
