"""A broker message: into streams and lists of a real Valkey, and to queues and exchanges by AMQP."""

import json
import os
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import pytest
import redis
from kombu.transport import pyamqp
from rest_framework.exceptions import ValidationError

from badgerjobs.embedded.layout import Layout
from badgerjobs.outbound.relay import Line
from badgerjobs.runs.outcomes import Failed, Outcome
from badgerjobs.servers import redis as redis_server
from jobs.events.types import amqp
from jobs.events.types.message_broker import Message
from tests.jobs.events.performing import RUN, done, failed, perform
from tests.stand_ins import Broker, Door, Listener, Silent

INPUT = {"id": 7, "name": "Lamp"}


@pytest.fixture
def store() -> Iterator[redis.Redis]:
    """The tests' Valkey, in a database of its own for other people's data."""
    layout = Layout(Path(os.environ["BADGERJOBS_DATA_DIR"]))
    with redis.Redis.from_url(layout.redis_url.replace("?db=0", "?db=9")) as client:
        client.flushdb()
        yield client
        client.flushdb()


def valkey_at(door: Listener, **more: Any) -> tuple[str, dict[str, Any]]:
    password = Layout(Path(os.environ["BADGERJOBS_DATA_DIR"])).secret("valkey_password")
    given = {"protocol": "redis", "host": "server.example.com", "port": door.port, "password": password, "database": 9}
    return "BROKER", {"tls": "none", **given, **more}


def send(
    door: Any,
    to: str = "stream",
    name: str = "orders",
    *,
    connection: Any = None,
    timeout_s: float | None = None,
    **more: Any,
) -> Outcome:
    given = {"to": to, "name": name, **more}
    return perform("MESSAGEBROKER", given, connection or valkey_at(door), INPUT, timeout_s=timeout_s)


def test_a_message_is_added_to_a_stream(valkey: Door, store: redis.Redis) -> None:
    result = done(send(valkey, name="orders:{{input.id}}", message={"n": "{{input.name}}"}, headers={"kind": "low"}))
    [(message_id, fields)] = cast("list[tuple[bytes, Any]]", store.xrange("orders:7"))
    assert fields == {b"message": b'{"n":"Lamp"}', b"run_id": str(RUN).encode(), b"kind": b"low"}
    assert result == {"to": "stream", "name": "orders:7", "message_id": message_id.decode()}


def test_a_message_is_put_on_a_list(valkey: Door, store: redis.Redis) -> None:
    assert done(send(valkey, "list")) == {"to": "list", "name": "orders", "message_id": str(RUN), "length": 1}
    assert [json.loads(one) for one in store.lrange("orders", 0, -1)] == [INPUT]


def test_a_list_is_kept_short(valkey: Door, store: redis.Redis) -> None:
    lengths = [done(send(valkey, "list", message=text, max_length=2))["length"] for text in "abc"]
    assert (lengths, store.lrange("orders", 0, -1)) == ([1, 2, 2], [b"b", b"c"])


def test_a_stream_is_kept_about_as_short(valkey: Door, store: redis.Redis) -> None:
    """The server lets go of whole nodes of entries: what is left is the bound, and less than one node more."""
    node = int(cast("dict[str, str]", store.config_get("stream-node-max-entries"))["stream-node-max-entries"])
    for number in range(3 * node):
        store.xadd("orders", {"n": number})
    sent = done(send(valkey, max_length=2))
    [(last, _)] = cast("list[tuple[bytes, Any]]", store.xrevrange("orders", count=1))
    assert last.decode() == sent["message_id"]
    assert 2 <= store.xlen("orders") < 2 + node


def test_it_speaks_tls_to_the_server_of_that_name(secure_valkey: Door, store: redis.Redis, pem: str) -> None:
    done(send(secure_valkey, connection=valkey_at(secure_valkey, tls="verify", certificates=pem)))
    assert store.xlen("orders") == 1
    assert failed(send(secure_valkey, connection=valkey_at(secure_valkey, tls="verify"))) == (
        "tls", "The certificate of server.example.com is signed by an authority that is not known.", True,
    )  # fmt: skip
    wrong = valkey_at(secure_valkey, tls="verify", certificates=pem, host="other.example.com")
    assert failed(send(secure_valkey, connection=wrong))[1] == (
        "The certificate of other.example.com belongs to another host name."
    )
    done(send(secure_valkey, connection=valkey_at(secure_valkey, tls="unverified")))


def test_tls_to_a_server_without_is_said_to_be_that(valkey: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for the rest of what it takes for a command."""
    monkeypatch.setattr(redis_server, "HANDSHAKE_S", 0.1)
    assert failed(send(valkey, connection=valkey_at(valkey, tls="verify"))) == (
        "tls", "server.example.com did not agree on TLS within 0.1 s: it may have none.", True,
    )  # fmt: skip


def test_tls_to_a_server_that_answers_without_is_said_to_be_that() -> None:
    with Silent(b"-ERR unknown command\r\n") as other:
        connection = valkey_at(other, tls="verify")
        assert failed(send(other, connection=connection)) == (
            "tls", "server.example.com does not speak TLS on this port.", True,
        )  # fmt: skip


def test_no_time_out_of_the_drivers_own_ends_what_may_take_longer(valkey: Door) -> None:
    _, connection = valkey_at(valkey, user="", virtual_host="")
    assert redis_server.server_of(connection, Line(valkey.port, 0)).socket_timeout is None


def test_a_wrong_password_is_said_without_it(valkey: Door) -> None:
    error_class, sentence, retry = failed(send(valkey, connection=valkey_at(valkey, password="hunter2")))
    assert (error_class, retry) == ("auth", False)
    assert "does not let us" in sentence
    assert "hunter2" not in sentence


def test_what_is_there_and_is_something_else_is_named(valkey: Door, store: redis.Redis) -> None:
    store.set("orders", "x")
    assert failed(send(valkey)) == ("rejected", "“orders” is there already, and is no stream.", False)


def test_a_private_address_is_refused(valkey: Door) -> None:
    error_class, _, retry = failed(
        perform("MESSAGEBROKER", {"to": "list", "name": "x"}, valkey_at(valkey), 1, allow=[])
    )
    assert (error_class, retry, valkey.opened) == ("refused", False, 0)


def test_a_server_that_says_nothing_is_given_up() -> None:
    with Silent() as silent:
        assert failed(send(silent, timeout_s=0.05)) == (
            "timeout", "server.example.com did not take the message within 0.05 s.", True,
        )  # fmt: skip


@pytest.mark.parametrize("to", ["list", "stream"])
@pytest.mark.parametrize(
    "words",
    [
        b"$2\r\n\xff\xfe\r\n", b"*2\r\n$1\r\na\r\n$1\r\nb\r\n", b"*1\r\n" * 3000, b":12x\r\n", b"$-1\r\n",
        b"*-1\r\n", b":" + b"9" * 5000 + b"\r\n", b"+" + b"x" * 100_000,
        b":" + b"9" * 20 + b"\r\n", b":-1\r\n", b"$99\r\n" + b"1" * 99 + b"\r\n",
    ],
    ids=["bytes", "list", "deep", "no number", "null", "no list", "digits", "line", "much", "less", "long"],
)  # fmt: skip
def test_whoever_plays_redis_is_told(to: str, words: bytes) -> None:
    with Silent(b"+OK\r\n+OK\r\n" + words) as other:
        connection = valkey_at(other, user="u")
        assert failed(send(other, to, connection=connection, timeout=5)) == (
            "protocol", "server.example.com answered with something that Redis does not answer with.", False
        )  # fmt: skip


@pytest.mark.parametrize(
    ("configuration", "field"),
    [
        ({"to": "queue", "name": "q", "routing_key": "k"}, "routing_key"),
        ({"to": "queue", "name": "q", "max_length": 5}, "max_length"),
        ({"to": "list", "name": "q", "headers": {"a": "b"}}, "headers"),
        ({"to": "topic", "name": "q"}, "to"),
        ({"to": "queue", "name": "{{"}, "name"),
    ],
)
def test_what_a_place_does_not_have_is_refused(configuration: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as raised:
        perform("MESSAGEBROKER", configuration)
    assert field in raised.value.detail["configuration"]  # type: ignore[call-overload]


def test_a_queue_is_of_no_redis(valkey: Door) -> None:
    assert failed(send(valkey, "queue")) == (
        "input", "This connection speaks redis, which has streams and lists, and no queues.", False,
    )  # fmt: skip


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker({"orders": 3}, ("shop",)) as server:
        yield server


def amqp_at(broker: Any, **more: Any) -> tuple[str, dict[str, Any]]:
    given = {"protocol": "amqp", "host": "server.example.com", "port": broker.port, "user": "u", "password": "secret"}
    return "BROKER", {**given, "tls": "none", **more}


def test_a_message_is_published_to_a_queue_and_confirmed(broker: Broker) -> None:
    assert done(send(broker, "queue", connection=amqp_at(broker))) == {
        "to": "queue", "name": "orders", "message_id": str(RUN),
    }  # fmt: skip
    [sent] = broker.published
    assert (sent.exchange, sent.routing_key, sent.mandatory, json.loads(sent.body)) == ("", "orders", True, INPUT)


def test_a_message_is_published_to_an_exchange(broker: Broker) -> None:
    done(send(broker, "exchange", "shop", routing_key="low.{{input.id}}", message="plain", connection=amqp_at(broker)))
    [sent] = broker.published
    assert (sent.exchange, sent.routing_key, sent.body) == ("shop", "low.7", b"plain")


@pytest.mark.parametrize(
    ("to", "name", "sentence"),
    [
        ("queue", "nowhere", "There is no queue “nowhere”: NOT_FOUND - no queue 'nowhere' in vhost '/'."),
        ("exchange", "nowhere", "There is no exchange “nowhere”: NOT_FOUND - no exchange 'nowhere' in vhost '/'."),
    ],
)
def test_a_queue_that_is_not_there_is_named(broker: Broker, to: str, name: str, sentence: str) -> None:
    assert failed(send(broker, to, name, connection=amqp_at(broker))) == ("rejected", sentence, False)


def test_what_no_queue_takes_is_told(broker: Broker) -> None:
    broker.returns = True
    error_class, sentence, retry = failed(send(broker, "exchange", "shop", routing_key="k", connection=amqp_at(broker)))
    assert (error_class, retry) == ("rejected", False)
    assert sentence.startswith("No queue takes what “shop” is sent as “k”")


def test_a_full_queue_may_have_room_later(broker: Broker) -> None:
    broker.is_full = True
    assert failed(send(broker, "queue", connection=amqp_at(broker))) == (
        "rejected", "server.example.com did not take the message: “orders” may be full.", True,
    )  # fmt: skip


def test_a_user_that_the_broker_does_not_know_is_told(broker: Broker) -> None:
    error_class, sentence, retry = failed(send(broker, "queue", connection=amqp_at(broker, password="hunter2")))
    assert (error_class, retry) == ("auth", False)
    assert sentence == "server.example.com does not let us: ACCESS_REFUSED - Login was refused using PLAIN."


def test_a_broker_that_says_nothing_is_given_up() -> None:
    with Silent() as silent:
        error_class, sentence, retry = failed(send(silent, "queue", connection=amqp_at(silent), timeout_s=0.05))
    assert (error_class, retry) == ("timeout", True)
    assert "within 0.05 s" in sentence


def test_what_is_no_broker_and_hangs_up_is_said_to_be_none() -> None:
    with Silent(b"HTTP/1.1 400 Bad Request\r\n\r\n") as other:
        other.released.set()
        error_class, sentence, retry = failed(send(other, "queue", connection=amqp_at(other)))
    assert (error_class, retry) == ("connect", True)
    assert "it may be no AMQP" in sentence


def test_who_hangs_up_is_not_connected_to_again() -> None:
    """By then the line may be cut, and its port somebody else's, who would be sent the password."""
    message = Message(str(RUN), "queue", "orders", "", {}, b"{}", is_text=False, max_length=None)
    with Silent() as stranger:
        stranger.released.set()
        _, connection = amqp_at(stranger, virtual_host="/", certificates="")
        outcome = amqp.publish(message, connection, Line(stranger.port, 0), 5)
        assert isinstance(outcome, Failed)
        assert stranger.opened == 1


@pytest.fixture
def secure_broker(context: ssl.SSLContext) -> Iterator[Broker]:
    with Broker({"orders": 3}, context=context) as server:
        yield server


def test_it_speaks_tls_to_the_broker_of_that_name(secure_broker: Broker, pem: str) -> None:
    done(send(secure_broker, "queue", connection=amqp_at(secure_broker, tls="verify", certificates=pem)))
    assert len(secure_broker.published) == 1


@pytest.mark.parametrize("host", ["server.example.com", "other.example.com"])
def test_without_a_check_it_speaks_tls_to_whoever_is_there(secure_broker: Broker, host: str) -> None:
    done(send(secure_broker, "queue", connection=amqp_at(secure_broker, tls="unverified", host=host)))
    assert len(secure_broker.published) == 1


def test_a_broker_whose_certificate_is_not_trusted_gets_nothing(secure_broker: Broker, pem: str) -> None:
    assert failed(send(secure_broker, "queue", connection=amqp_at(secure_broker, tls="verify"))) == (
        "tls", "The certificate of server.example.com is signed by an authority that is not known.", True,
    )  # fmt: skip
    wrong = amqp_at(secure_broker, tls="verify", certificates=pem, host="other.example.com")
    assert failed(send(secure_broker, "queue", connection=wrong))[1] == (
        "The certificate of other.example.com belongs to another host name."
    )
    assert secure_broker.published == []


def method(number: int, arguments: bytes) -> bytes:
    """A frame with a method of the connection."""
    payload = struct.pack(">HH", 10, number) + arguments
    return struct.pack(">BHI", 1, 0, len(payload)) + payload + b"\xce"


def start(table: bytes = b"\0\0\0\0", mechanisms: bytes = b"PLAIN", version: bytes = b"\0\x09") -> bytes:
    """How a broker begins."""
    said = struct.pack(">I", len(mechanisms)) + mechanisms
    return method(10, version + table + said + b"\0\0\0\x05en_US")


def nested(depth: int) -> bytes:
    """A table in a table in a table."""
    table = b""
    for _ in range(depth):
        table = b"\x01aF" + struct.pack(">I", len(table)) + table
    return struct.pack(">I", len(table)) + table


@pytest.mark.parametrize(
    "words",
    [
        method(10, b""), start(nested(3000)), method(99, b""), start(mechanisms=b"\xff" * 5),
        struct.pack(">BHI", 2, 0, 14) + struct.pack(">HHQH", 60, 0, 5, 0) + b"\xce",
        struct.pack(">BHI", 2, 0, 2) + b"\0\0\xce", struct.pack(">BHI", 1, 0, 2) + b"\0\0\xce",
        struct.pack(">BHI", 3, 0, 2) + b"\0\0\xce", method(50, b"\1"), start() + method(30, b"\0"),
        struct.pack(">BHI", 1, 9, 4) + b"\0\x14\0\x28\xce",
    ],
    ids=[
        "no arguments", "deep", "unknown", "bytes", "header", "short header", "short", "body", "short end",
        "short answer", "channel",
    ],
)  # fmt: skip
def test_whoever_plays_a_broker_is_told_and_left(words: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once: the socket is closed, not left to the garbage."""
    collected: list[object] = []
    collect = pyamqp.Connection.collect

    def noted(self: Any) -> None:
        collected.append(self)
        collect(self)

    monkeypatch.setattr(pyamqp.Connection, "collect", noted)
    with Silent(words) as other:
        error_class, sentence, retry = failed(send(other, "queue", connection=amqp_at(other), timeout=5))
    assert (error_class, retry, bool(collected)) == ("protocol", False, True)
    assert sentence.startswith(
        (
            "server.example.com answered with something that AMQP does not answer with.",
            "server.example.com does not speak AMQP 0-9-1 as others do: ",
        )
    )


def rabbitmq_at(url: str) -> tuple[str, dict[str, Any]]:
    """The connection to a broker with this URL, wherever it is."""
    parts = urlsplit(url)
    is_secure = parts.scheme == "amqps"
    at = {"protocol": "amqp", "host": parts.hostname, "tls": "verify" if is_secure else "none"}
    who = {"user": unquote(parts.username or "guest"), "password": unquote(parts.password or "guest")}
    port = parts.port or (5671 if is_secure else 5672)
    return "BROKER", {**at, **who, "port": port, "virtual_host": unquote(parts.path[1:]) or "/"}


def test_a_broker_by_its_url_is_looked_for_where_it_is() -> None:
    assert rabbitmq_at("amqps://u:p%2F@mq.example.com/shop%2Fa")[1] == {
        "protocol": "amqp", "host": "mq.example.com", "port": 5671, "tls": "verify", "user": "u", "password": "p/",
        "virtual_host": "shop/a",
    }  # fmt: skip


@pytest.mark.skipif(
    not os.environ.get("RABBITMQ_URL"),
    reason="it needs a RabbitMQ: set RABBITMQ_URL, like amqp://guest:guest@127.0.0.1:5672",
)
def test_a_real_rabbitmq_takes_it() -> None:
    from kombu import Connection  # noqa: PLC0415  only where there is one

    url = os.environ["RABBITMQ_URL"]
    connection = rabbitmq_at(url)

    def publish(name: str) -> Outcome:
        host = connection[1]["host"]
        return perform("MESSAGEBROKER", {"to": "queue", "name": name}, connection, INPUT, allow=[host], look_up=None)

    with Connection(url) as server:
        queue = server.SimpleQueue("badger-jobs-test")
        done(publish("badger-jobs-test"))
        message = queue.get(timeout=10)
        message.ack()
        queue.queue.delete()
    assert message.payload == INPUT
    error_class, sentence, _ = failed(publish("badger-jobs-nowhere"))
    assert (error_class, "no queue 'badger-jobs-nowhere'" in sentence) == ("rejected", True)
