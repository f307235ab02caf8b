"""Messages into streams and lists of Redis and Valkey."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError
from redis.exceptions import TimeoutError as NoAnswerError

from badgerjobs.lib.said import quoted
from badgerjobs.outbound.relay import LOOPBACK, Line
from badgerjobs.runs.outcomes import Done, Failed
from jobs.events.types import tls

if TYPE_CHECKING:
    from jobs.events.types.message_broker import Message

# A server that has no room, is loading or moves house has it better in a moment.
PASSING = ("OOM", "LOADING", "BUSY", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "READONLY", "MISCONF")

# A server without TLS takes the beginning of it for a command, and waits for the rest.
HANDSHAKE_S = 5.0

# Two numbers and a hyphen between them; and what a number of its own can say.
LONGEST_ID, LONGEST_LIST = 41, 2**63 - 1

# Both or neither, in one step. Returns how many there are then.
BOUNDED = """
local length = redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], -ARGV[2], -1)
return math.min(length, tonumber(ARGV[2]))
"""


class _Named(SSLConnection):
    """TLS to the server by its own name, whatever port leads there."""

    name = ""

    def _connection_arguments(self) -> Mapping[str, Any]:
        return {**super()._connection_arguments(), "server_hostname": self.name}


async def publish(message: "Message", connection: Mapping[str, Any], line: Line) -> Done | Failed:
    """Add it, and tell where it is now."""
    host = connection["host"]
    server = _server(connection, line)
    try:
        await server.connect()  # type: ignore[no-untyped-call]
        place = _place(message, await _asked(server, *_command(message)))
    except (AuthenticationError, NoPermissionError) as error:
        return Failed("auth", f"{host} does not let us: {quoted(str(error), [connection['password']])}", retry=False)
    except ResponseError as error:
        return _answered(error, message, connection)
    except (RedisError, OSError) as error:
        return _broken(error, connection)
    except (ValueError, LookupError, TypeError, RecursionError):
        return Failed("protocol", f"{host} answered with something that Redis does not answer with.", retry=False)
    finally:
        await server.disconnect(nowait=True)
    return Done({"to": message.to, "name": message.name, **place})


def _place(message: "Message", answer: Any) -> dict[str, Any]:
    """Where it is now: an entry of the stream, or the end of the list. Raises ValueError for what is neither."""
    if message.to == "stream" and isinstance(answer, bytes) and len(answer) <= LONGEST_ID:
        return {"message_id": answer.decode()}
    if message.to == "list" and isinstance(answer, int) and 0 <= answer <= LONGEST_LIST:
        return {"message_id": message.id, "length": answer}
    raise ValueError("neither an entry nor a length")


async def _asked(server: AbstractConnection, *command: Any) -> Any:
    await server.send_command(*command)
    return await server.read_response()


def _server(connection: Mapping[str, Any], line: Line) -> AbstractConnection:
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


def _command(message: "Message") -> list[Any]:
    if message.to == "stream":
        bound = ["MAXLEN", "~", message.max_length] if message.max_length else []
        more = [part for pair in message.headers.items() for part in pair]
        return ["XADD", message.name, *bound, "*", "message", message.body, "run_id", message.id, *more]
    if message.max_length:
        return ["EVAL", BOUNDED, 1, message.name, message.body, message.max_length]
    return ["RPUSH", message.name, message.body]


def _answered(error: ResponseError, message: "Message", connection: Mapping[str, Any]) -> Failed:
    said = str(error)
    if said.startswith("WRONGTYPE"):
        return Failed("rejected", f"“{message.name}” is there already, and is no {message.to}.", retry=False)
    if "NOAUTH" in said or "WRONGPASS" in said or "NOPERM" in said or "invalid password" in said:
        return Failed(
            "auth", f"{connection['host']} does not let us: {quoted(said, [connection['password']])}", retry=False
        )
    sentence = f"{connection['host']} did not take the message: {quoted(said, [connection['password']])}"
    return Failed("rejected", sentence, retry=said.startswith(PASSING))


def _broken(error: Exception, connection: Mapping[str, Any]) -> Failed:
    host = connection["host"]
    if cause := tls.fault_in(error):
        return Failed("tls", tls.sentence(cause, host))
    if isinstance(error, NoAnswerError) and connection["tls"] != "none":
        return Failed("tls", f"{host} did not agree on TLS within {HANDSHAKE_S:g} s: it may have none.")
    return Failed("connect", f"The connection to {host} broke: it may be no Redis, or want TLS.")
