"""Somebody's Redis or Valkey: one connection at the other end of a line, and what its errors say."""

from collections.abc import Mapping
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError
from redis.exceptions import TimeoutError as NoAnswerError

from badgerjobs.lib.said import quoted
from badgerjobs.outbound.relay import LOOPBACK, Line
from badgerjobs.runs.outcomes import Failed
from badgerjobs.servers import tls

# A server that has no room, is loading or moves house has it better in a moment.
PASSING = ("OOM", "LOADING", "BUSY", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "READONLY", "MISCONF")
# It wants another user, or another password.
NOBODY = ("NOAUTH", "WRONGPASS", "NOPERM", "invalid password")

# A server without TLS takes the beginning of it for a command, and waits for the rest.
HANDSHAKE_S = 5.0


class _Named(SSLConnection):
    """TLS to the server by its own name, whatever port leads there."""

    name = ""

    def _connection_arguments(self) -> Mapping[str, Any]:
        return {**super()._connection_arguments(), "server_hostname": self.name}


def server_of(connection: Mapping[str, Any], line: Line) -> AbstractConnection:
    """Not connected yet: it signs in when it is."""
    given: dict[str, Any] = {
        "host": LOOPBACK,
        "port": line.port,
        "db": connection["database"],
        "username": connection["user"] or None,
        "password": connection["password"] or None,
        "driver_info": None,
        "protocol": 2,
        # The attempt's time-out is ours. The driver's own would end what may take longer.
        "socket_timeout": None,
        "socket_connect_timeout": HANDSHAKE_S,
    }
    if connection["tls"] == "none":
        return Connection(**given)
    verify = connection["tls"] == "verify"
    server = _Named(**given)
    server.ssl_context.context = tls.context_of(connection, verify=verify)
    server.name = connection["host"]
    return server


async def asked(server: AbstractConnection, *command: Any) -> Any:
    """The answer to a command. Raises what the driver raises."""
    await server.send_command(*command)
    return await server.read_response()


def failed(error: RedisError | OSError, connection: Mapping[str, Any]) -> Failed | None:
    """What went wrong, for people; None where the server did not do what it was asked to, and only it knows why."""
    if isinstance(error, ResponseError) and not isinstance(error, NoPermissionError):
        return _shut_out(error, connection) if any(word in str(error) for word in NOBODY) else None
    if isinstance(error, AuthenticationError | NoPermissionError):
        return _shut_out(error, connection)
    return _broken(error, connection)


def _shut_out(error: RedisError, connection: Mapping[str, Any]) -> Failed:
    said = quoted(str(error), [connection["password"]])
    return Failed("auth", f"{connection['host']} does not let us: {said}", retry=False)


def _broken(error: Exception, connection: Mapping[str, Any]) -> Failed:
    host = connection["host"]
    if cause := tls.fault_in(error):
        return Failed("tls", tls.sentence(cause, host))
    if isinstance(error, NoAnswerError) and connection["tls"] != "none":
        return Failed("tls", f"{host} did not agree on TLS within {HANDSHAKE_S:g} s: it may have none.")
    return Failed("connect", f"The connection to {host} broke: it may be no Redis, or want TLS.")
