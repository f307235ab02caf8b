"""A broker message: into streams and lists of a real Valkey, and to queues and exchanges by AMQP."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import redis
from rest_framework.exceptions import ValidationError

from badgerjobs.embedded.layout import Layout
from badgerjobs.runs.outcomes import Outcome
from tests.jobs.events.performing import RUN, done, failed, perform
from tests.jobs.events.stand_ins import Broker, Door, Silent

INPUT = {"id": 7, "name": "Lamp"}


@pytest.fixture
def store() -> Iterator[redis.Redis]:
    """The tests' Valkey, in a database of its own for other people's data."""
    layout = Layout(Path(os.environ["BADGERJOBS_DATA_DIR"]))
    with redis.Redis.from_url(layout.redis_url.replace("?db=0", "?db=9")) as client:
        client.flushdb()
        yield client
        client.flushdb()


def valkey_at(door: Door, **more: Any) -> tuple[str, dict[str, Any]]:
    password = Layout(Path(os.environ["BADGERJOBS_DATA_DIR"])).secret("valkey_password")
    given = {"protocol": "redis", "host": "server.example.com", "port": door.port, "password": password, "database": 9}
    return "BROKER", {"tls": "none", **given, **more}


def send(
    door: Any, to: str = "stream", name: str = "orders", *, connection: Any = None, given: Any = INPUT, **more: Any
) -> Outcome:
    return perform("MESSAGEBROKER", {"to": to, "name": name, **more}, connection or valkey_at(door), given)


def test_a_message_is_added_to_a_stream(valkey: Door, store: redis.Redis) -> None:
    result = done(send(valkey, name="orders:{{input.id}}", message={"n": "{{input.name}}"}, headers={"kind": "low"}))
    [(message_id, fields)] = cast("list[tuple[bytes, Any]]", store.xrange("orders:7"))
    assert fields == {b"message": b'{"n":"Lamp"}', b"run_id": str(RUN).encode(), b"kind": b"low"}
    assert result == {"to": "stream", "name": "orders:7", "message_id": message_id.decode()}


def test_a_message_is_put_on_a_list(valkey: Door, store: redis.Redis) -> None:
    assert done(send(valkey, "list")) == {"to": "list", "name": "orders", "message_id": str(RUN), "length": 1}
    assert [json.loads(one) for one in store.lrange("orders", 0, -1)] == [INPUT]


def test_a_list_and_a_stream_are_kept_short(valkey: Door, store: redis.Redis) -> None:
    for text in "abc":
        result = done(send(valkey, "list", message=text, max_length=2))
        done(send(valkey, name="stream", message=text, max_length=2))
    assert (result["length"], store.lrange("orders", 0, -1)) == (2, [b"b", b"c"])
    assert store.xlen("stream") <= 100


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


def test_tls_to_a_server_without_is_said_to_be_that(valkey: Door) -> None:
    error_class, sentence, _ = failed(send(valkey, connection=valkey_at(valkey, tls="verify")))
    assert error_class in {"tls", "connect"}
    assert "server.example.com" in sentence


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
        connection = valkey_at(silent)  # type: ignore[arg-type]  # it has a port
        assert failed(send(silent, connection=connection, timeout=1)) == (
            "timeout", "server.example.com did not take the message within 1 s.", True,
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
        connection = valkey_at(other, user="u")  # type: ignore[arg-type]  # it has a port
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
        error_class, sentence, retry = failed(send(silent, "queue", connection=amqp_at(silent), timeout=1))
    assert (error_class, retry) == ("timeout", True)
    assert "within 1 s" in sentence


def test_what_is_no_broker_is_said_to_be_none() -> None:
    with Silent(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 3) as other:
        assert failed(send(other, "queue", connection=amqp_at(other), timeout=2))[0] in {
            "connect",
            "rejected",
            "timeout",
        }


@pytest.mark.skipif(
    not os.environ.get("RABBITMQ_URL") and not shutil.which("rabbitmq-server"),
    reason="there is no RabbitMQ: set RABBITMQ_URL, like amqp://guest:guest@127.0.0.1:5672",
)
def test_a_real_rabbitmq_takes_it() -> None:
    from kombu import Connection  # noqa: PLC0415  only where there is one

    url = os.environ.get("RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672")
    parts = urlsplit(url)
    at = {"protocol": "amqp", "host": parts.hostname, "port": parts.port or 5672, "tls": "none"}
    connection = ("BROKER", {**at, "user": parts.username, "password": parts.password})
    with Connection(url) as server:
        queue = server.SimpleQueue("badger-jobs-test")
        done(send(None, "queue", "badger-jobs-test", connection=connection))
        message = queue.get(timeout=10)
        message.ack()
        queue.queue.delete()
    assert message.payload == INPUT
    error_class, sentence, _ = failed(send(None, "queue", "badger-jobs-nowhere", connection=connection))
    assert (error_class, "no queue 'badger-jobs-nowhere'" in sentence) == ("rejected", True)
