"""Messages to queues and exchanges by AMQP 0-9-1, as RabbitMQ speaks it."""

import socket
import ssl
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from amqp.exceptions import (
    AccessRefused,
    AMQPError,
    AMQPNotImplementedError,
    FrameSyntaxError,
    MessageNacked,
    NotFound,
    UnexpectedFrame,
)
from kombu import Connection, Producer
from kombu.transport import pyamqp

from badgerjobs.lib.said import quoted
from badgerjobs.outbound.relay import LOOPBACK, Line
from badgerjobs.runs.outcomes import Done, Failed
from jobs.events.types import tls

if TYPE_CHECKING:
    from jobs.events.types.message_broker import Message


# The most that the kernel takes. What the driver sets unless told otherwise is what it has, which may be more.
LONGEST_SEGMENT = 32767
# What the driver raises for frames that nobody could read: somebody plays a broker.
NO_AMQP = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, struct.error)


class _Returned(Exception):  # noqa: N818  the broker's answer
    """No queue took it. The text is the broker's."""


def publish(message: "Message", connection: Mapping[str, Any], line: Line, timeout_s: float) -> Done | Failed:
    """Publish it, and wait for the broker's word that it has it. Blocks."""
    host, secrets = connection["host"], [connection["password"]]
    try:
        with (
            tls.certificates_file(connection) as trusted,
            _connected(_server(connection, line, timeout_s, trusted)) as server,
        ):
            _send(message, server.channel(), timeout_s)
    except (AMQPError, MessageNacked, _Returned) as error:
        return _rejected(error, message, host, secrets)
    except OSError as error:
        return _broken(error, host, timeout_s)
    except NO_AMQP:
        return Failed("protocol", f"{host} answered with something that AMQP does not answer with.", retry=False)
    return Done({"to": message.to, "name": message.name, "message_id": message.id})


def _rejected(error: Exception, message: "Message", host: str, secrets: Sequence[str]) -> Failed:
    """What the broker said no to."""
    said = quoted(getattr(error, "reply_text", None) or str(error), secrets)
    match error:
        case NotFound():
            return Failed("rejected", f"There is no {message.to} “{message.name}”: {said}", retry=False)
        case _Returned():
            sentence = f"No queue takes what “{message.name}” is sent as “{message.routing_key}”: {said}"
            return Failed("rejected", sentence, retry=False)
        case AccessRefused():
            return Failed("auth", f"{host} does not let us: {said}", retry=False)
        case FrameSyntaxError() | UnexpectedFrame() | AMQPNotImplementedError():
            return Failed("protocol", f"{host} does not speak AMQP 0-9-1 as others do: {said}", retry=False)
        case MessageNacked():
            return Failed("rejected", f"{host} did not take the message: “{message.name}” may be full.")
    return Failed("rejected", f"{host} did not take the message: {said}")


def _broken(error: OSError, host: str, timeout_s: float) -> Failed:
    if fault := tls.fault_in(error):
        return Failed("tls", tls.sentence(fault, host))
    if isinstance(error, TimeoutError):
        return Failed("timeout", f"{host} did not answer within {timeout_s:g} s.")
    return Failed("connect", f"{host} closed the connection: it may be no AMQP, or want TLS, or not know the user.")


def _server(connection: Mapping[str, Any], line: Line, timeout_s: float, trusted: str) -> Any:
    verify = connection["tls"] == "verify"
    secure = {"cert_reqs": ssl.CERT_REQUIRED if verify else ssl.CERT_NONE, "ca_certs": trusted}
    if verify:  # without a name none is compared; None would become that of the line's end here
        secure["server_hostname"] = connection["host"]
    return Connection(
        transport="pyamqp",
        hostname=LOOPBACK,
        port=line.port,
        userid=connection["user"] or "guest",
        password=connection["password"],
        virtual_host=connection["virtual_host"],
        ssl=secure if connection["tls"] != "none" else False,
        login_method="PLAIN",
        connect_timeout=timeout_s,
        heartbeat=0,
        transport_options={
            "confirm_publish": True,
            "read_timeout": timeout_s,
            "write_timeout": timeout_s,
            "client_properties": {"connection_name": "badger-jobs"},
            "socket_settings": {socket.TCP_MAXSEG: LONGEST_SEGMENT},
        },
    )


class _Driver(pyamqp.Connection):
    """Closes its socket whatever it stumbles over: the driver itself does so for errors of the network alone."""

    def connect(self, callback: Any = None) -> None:
        """Sign in. Raises what the driver raises."""
        try:
            super().connect(callback)
        except BaseException:
            self.collect()
            raise


@contextmanager
def _connected(server: Any) -> Iterator[Any]:
    """Connected once. What kombu connects it connects again after two seconds: to whoever has the line's port then."""
    server.transport.Connection = _Driver
    connected = server.transport.establish_connection()
    try:
        yield connected
    finally:
        with suppress(AMQPError, OSError, *NO_AMQP):
            server.transport.close_connection(connected)
        connected.collect()


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
