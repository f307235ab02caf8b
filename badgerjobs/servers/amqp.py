"""Somebody's AMQP 0-9-1 broker, as RabbitMQ speaks it: one connection at the other end of a line."""

import socket
import ssl
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from amqp.exceptions import AccessRefused, AMQPError, AMQPNotImplementedError, FrameSyntaxError, UnexpectedFrame
from kombu import Connection
from kombu.transport import pyamqp

from badgerjobs.lib.said import quoted
from badgerjobs.outbound.relay import LOOPBACK, Line
from badgerjobs.runs.outcomes import Failed
from badgerjobs.servers import tls

# The most that the kernel takes. What the driver sets unless told otherwise is what it has, which may be more.
LONGEST_SEGMENT = 32767
# What the driver raises for frames that nobody could read: somebody plays a broker.
NO_AMQP = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, struct.error)


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
def connected(connection: Mapping[str, Any], line: Line, timeout_s: float) -> Iterator[Any]:
    """Signed in, once: what kombu connects it connects again after two seconds, to whoever has the line's port then.

    Blocks, each step for so long at most. Raises AMQPError, OSError and NO_AMQP.
    """
    with tls.certificates_file(connection) as trusted:
        server = _server(connection, line, timeout_s, trusted)
        server.transport.Connection = _Driver
        opened = server.transport.establish_connection()
        try:
            yield opened
        finally:
            with suppress(AMQPError, OSError, *NO_AMQP):
                server.transport.close_connection(opened)
            opened.collect()


def said_by(error: Exception, secrets: Sequence[str]) -> str:
    """The broker's words."""
    return quoted(getattr(error, "reply_text", None) or str(error), secrets)


def failed(error: Exception, connection: Mapping[str, Any], timeout_s: float) -> Failed | None:
    """What went wrong, for people; None where the broker did not do what it was asked to, and only it knows why."""
    host, said = connection["host"], said_by(error, [connection["password"]])
    match error:
        case AccessRefused():
            return Failed("auth", f"{host} does not let us: {said}", retry=False)
        case FrameSyntaxError() | UnexpectedFrame() | AMQPNotImplementedError():
            return Failed("protocol", f"{host} does not speak AMQP 0-9-1 as others do: {said}", retry=False)
        case OSError():
            return _broken(error, host, timeout_s)
        case AMQPError():
            return None
    return Failed("protocol", f"{host} answered with something that AMQP does not answer with.", retry=False)


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
