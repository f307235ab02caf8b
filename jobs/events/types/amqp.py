"""Messages to queues and exchanges by AMQP 0-9-1, as RabbitMQ speaks it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from amqp.exceptions import AMQPError, MessageNacked, NotFound
from kombu import Producer

from badgerjobs.lib.said import quoted
from badgerjobs.outbound.relay import Line
from badgerjobs.runs.outcomes import Done, Failed
from badgerjobs.servers.amqp import NO_AMQP, connected, failed, said_by

if TYPE_CHECKING:
    from jobs.events.types.message_broker import Message


class _Returned(Exception):  # noqa: N818  the broker's answer
    """No queue took it. The text is the broker's."""


def publish(message: "Message", connection: Mapping[str, Any], line: Line, timeout_s: float) -> Done | Failed:
    """Publish it, and wait for the broker's word that it has it. Blocks."""
    try:
        with connected(connection, line, timeout_s) as server:
            _send(message, server.channel(), timeout_s)
    except (MessageNacked, _Returned) as error:
        return _rejected(error, message, connection)
    except (AMQPError, OSError, *NO_AMQP) as error:
        return failed(error, connection, timeout_s) or _rejected(error, message, connection)
    return Done({"to": message.to, "name": message.name, "message_id": message.id})


def _rejected(error: Exception, message: "Message", connection: Mapping[str, Any]) -> Failed:
    """What the broker said no to."""
    host, said = connection["host"], said_by(error, [connection["password"]])
    match error:
        case NotFound():
            return Failed("rejected", f"There is no {message.to} “{message.name}”: {said}", retry=False)
        case _Returned():
            sentence = f"No queue takes what “{message.name}” is sent as “{message.routing_key}”: {said}"
            return Failed("rejected", sentence, retry=False)
        case MessageNacked():
            return Failed("rejected", f"{host} did not take the message: “{message.name}” may be full.")
    return Failed("rejected", f"{host} did not take the message: {said}")


def _send(message: "Message", channel: Any, timeout_s: float) -> None:
    """Declared passively first: what is not there is not made, and not silently dropped either."""
    returned: list[str] = []
    if message.to == "queue":
        channel.queue_declare(queue=message.name, passive=True)
    else:
        channel.exchange_declare(exchange=message.name, type="direct", passive=True)
    producer = Producer(channel, auto_declare=False, on_return=lambda error, *_: returned.append(quoted(str(error))))
    producer.publish(
        message.body,
        exchange="" if message.to == "queue" else message.name,
        routing_key=message.name if message.to == "queue" else message.routing_key,
        headers=dict(message.headers),
        content_type="text/plain" if message.is_text else "application/json",
        content_encoding="utf-8",
        delivery_mode=2,
        mandatory=True,
        message_id=message.id,
        confirm_timeout=timeout_s,
        timeout=timeout_s,
    )
    if returned:
        raise _Returned(returned[0])
