"""The address that the web process will listen on: whether it is free, and whether something well answers there."""

import http.client
import socket

from badgerjobs.lib import listening


class UnusableAddressError(Exception):
    """HOST and PORT cannot be listened on. The message names the one to change."""


def url_of(host: str, port: int) -> str:
    """Write the address as people open it."""
    return f"http://{listening.location(host, port)}"


def ensure_free(host: str, port: int) -> None:
    """Raise UnusableAddressError when nobody could listen there now."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise UnusableAddressError(f"HOST={host}: no such address ({error.strerror}).") from None
    family, kind, protocol, _, address = found[0]
    with socket.socket(family, kind, protocol) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(address)
        except OSError as error:
            raise UnusableAddressError(
                f"Cannot listen on {host}, port {port}: {error.strerror}. Set PORT (or HOST) to another one, "
                f"for example: PORT={_another_port(port, error)} make up"
            ) from None


def _another_port(port: int, error: OSError) -> int:
    # The low ones are root's: the next is refused as this one was. 80 becomes 8080, and 443 becomes 8443.
    if isinstance(error, PermissionError):
        return 8000 + port % 1000
    return port + 1 if port < 65_535 else 8000


def is_well(host: str, port: int, name: str) -> bool:
    """Whether `/healthz` there, asked under this name, answers 200 within two seconds."""
    connection = http.client.HTTPConnection(listening.reached_at(host), port, timeout=2)
    try:
        connection.request("GET", "/healthz", headers={"Host": name})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
