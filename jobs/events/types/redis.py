"""Messages into streams and lists of Redis and Valkey."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from badgerjobs.lib.said import quoted
from badgerjobs.outbound.relay import Line
from badgerjobs.runs.outcomes import Done, Failed
from badgerjobs.servers.redis import PASSING, asked, failed, server_of

if TYPE_CHECKING:
    from jobs.events.types.message_broker import Message

# Two numbers and a hyphen between them; and what a number of its own can say.
LONGEST_ID, LONGEST_LIST = 41, 2**63 - 1

# Both or neither, in one step. Returns how many there are then.
BOUNDED = """
local length = redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], -ARGV[2], -1)
return math.min(length, tonumber(ARGV[2]))
"""


async def publish(message: "Message", connection: Mapping[str, Any], line: Line) -> Done | Failed:
    """Add it, and tell where it is now."""
    host = connection["host"]
    server = server_of(connection, line)
    try:
        await server.connect()  # type: ignore[no-untyped-call]
        place = _place(message, await asked(server, *_command(message)))
    except (RedisError, OSError) as error:
        return failed(error, connection) or _refused(str(error), message, connection)
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


def _command(message: "Message") -> list[Any]:
    if message.to == "stream":
        bound = ["MAXLEN", "~", message.max_length] if message.max_length else []
        more = [part for pair in message.headers.items() for part in pair]
        return ["XADD", message.name, *bound, "*", "message", message.body, "run_id", message.id, *more]
    if message.max_length:
        return ["EVAL", BOUNDED, 1, message.name, message.body, message.max_length]
    return ["RPUSH", message.name, message.body]


def _refused(said: str, message: "Message", connection: Mapping[str, Any]) -> Failed:
    if said.startswith("WRONGTYPE"):
        return Failed("rejected", f"“{message.name}” is there already, and is no {message.to}.", retry=False)
    sentence = f"{connection['host']} did not take the message: {quoted(said, [connection['password']])}"
    return Failed("rejected", sentence, retry=said.startswith(PASSING))
