"""Messages as rows: none is lost, none is taken away before it is stored, and none of a stream comes twice."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from django.test import override_settings
from rest_framework.exceptions import ValidationError

from badgerjobs.embedded.layout import Layout
from badgerjobs.outbound.names import Resolver
from badgerjobs.sources.means import open_means
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.row_trials import tried_rows
from badgerjobs.sources.rows import amqp_messages, reaching
from badgerjobs.sources.rows.messages import Message, row_of
from badgerjobs.sources.rows.pulling import Given, PullError, Pulling, pull
from badgerjobs.sources.rows.redis_messages import ListReader
from tests.factories import NOW
from tests.in_turn import in_turn
from tests.sources.fetching import source_of
from tests.stand_ins import Broker, Door, Listener, Silent

SHOP = {"exchange": "", "routing_key": "orders", "redelivered": False, "headers": {"shop": "north"}}


@pytest.fixture
def store() -> Iterator[redis.Redis]:
    """The tests' Valkey, in a database of its own for other people's data."""
    layout = Layout(Path(os.environ["BADGERJOBS_DATA_DIR"]))
    with redis.Redis.from_url(layout.redis_url.replace("?db=0", "?db=9")) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker({"orders": 0}) as server:
        server.waiting["orders"] = [b'{"id": 1}', b'{"id": 2}', b"plain \xff"]
        yield server


def at(door: Listener, place: str = "stream", **more: Any) -> DataSource:
    given: dict[str, Any] = {"place": place, "name": "orders", "host": "server.example.com", "port": door.port}
    if place == "queue":
        return source_of("STREAM", **{**given, "tls": "none", "user": "me", "password": "secret", **more})
    password = Layout(Path(os.environ["BADGERJOBS_DATA_DIR"])).secret("valkey_password")
    return source_of("STREAM", **{**given, "tls": "none", "password": password, "database": 9, **more})


async def _found(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def taken(
    source: DataSource, *, kept: bool = True, remembered: Any = None, allow: str = "127.0.0.1"
) -> tuple[list[Any], Any]:
    """All rows and what is remembered; then it is said what became of them."""

    async def all_of_them() -> tuple[list[Any], Any]:
        async with open_means() as opened:
            pulling: Pulling = pull(source, Given(NOW, {}, remembered), replace(opened, resolver=Resolver(_found)))
            async with aclosing(pulling.batches()) as batches:
                rows = [row async for batch in batches for row in batch]
        await pulling.settle(kept=kept)
        return rows, pulling.remembered

    with override_settings(EGRESS_ALLOW=[allow]):
        return asyncio.run(all_of_them())


def fails(source: DataSource, **how: Any) -> tuple[str, bool, str]:
    with pytest.raises(PullError) as caught:
        taken(source, **how)
    return caught.value.error_class, caught.value.retry, caught.value.sentence


def first(source: DataSource) -> Any:
    async def tried() -> Any:
        async with open_means() as opened:
            return await tried_rows(source, {}, replace(opened, resolver=Resolver(_found)), NOW)

    with override_settings(EGRESS_ALLOW=["127.0.0.1"]):
        return asyncio.run(tried())


def test_entries_of_a_stream_are_rows_and_none_comes_twice(valkey: Door, store: redis.Redis) -> None:
    for number in (1, 2):
        store.xadd("orders", {"id": number, "name": "Lamp ü"}, id=f"{number}-7")
    rows, remembered = taken(at(valkey))
    assert rows == [{"id": "1", "name": "Lamp ü"}, {"id": "2", "name": "Lamp ü"}]
    assert remembered == {"stream": "orders", "id": "2-7"}
    assert taken(at(valkey), remembered=remembered) == ([], remembered)
    store.xadd("orders", {"id": 3})
    assert taken(at(valkey), remembered=remembered)[0] == [{"id": "3"}]
    assert store.xlen("orders") == 3


def test_another_stream_is_read_from_its_beginning(valkey: Door, store: redis.Redis) -> None:
    store.xadd("orders", {"id": 1})
    for remembered in ({"stream": "others", "id": "99999999999999-0"}, "99999999999999-0"):
        assert taken(at(valkey), remembered=remembered)[0] == [{"id": "1"}]
    assert taken(at(valkey, name="nothing")) == ([], None)


def test_a_field_may_have_the_message(valkey: Door, store: redis.Redis) -> None:
    store.xadd("orders", {"message": '{"id": 1}', "run_id": "r"}, id="1700000000123-0")
    store.xadd("orders", {"message": "[1]"}, id="1700000000124-0")
    store.xadd("orders", {"other": "x"}, id="1700000000125-0")
    rows, _ = taken(at(valkey, field="message", metadata=True))
    about = {"id": "1700000000123-0", "time": "2023-11-14T22:13:20.123+00:00"}
    assert rows[0] == {"id": 1, "_message": about}
    assert [{**row, "_message": None} for row in rows[1:]] == [
        {"body": "[1]", "_message": None},
        {"other": "x", "_message": None},
    ]


def test_so_many_are_taken_at_most(valkey: Door, store: redis.Redis, broker: Broker) -> None:
    for number in range(200):
        store.xadd("orders", {"id": number})
        store.rpush("list", number)
    rows, remembered = taken(at(valkey, most=120))
    assert [row["id"] for row in rows] == [str(number) for number in range(120)]
    assert len(taken(at(valkey), remembered=remembered)[0]) == 80
    assert len(taken(at(valkey, "list", name="list", most=120))[0]) == 120
    assert store.lrange("list", 0, 0) == [b"120"]
    assert taken(at(broker, "queue", most=2))[0] == [{"id": 1}, {"id": 2}]
    assert (broker.acknowledged, broker.delivered) == ([b'{"id": 1}', b'{"id": 2}'], 2)


@in_turn("place", ["stream", "list"])
def test_long_ones_are_asked_for_one_by_one(place: str, valkey: Door, store: redis.Redis) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reaching, "AHEAD_BYTES", 100_000)
        store.delete("orders")
        for number in range(60):
            text = f"{number:02}" * (20_000 if number > 10 else 1)
            store.xadd("orders", {"body": text}) if place == "stream" else store.rpush("orders", text)
        rows, _ = taken(at(valkey, place))
        assert [row["body"][:2] for row in rows] == [f"{number:02}" for number in range(60)]
        store.delete("orders")
        store.xadd("orders", {"body": "x" * 200_000}) if place == "stream" else store.rpush("orders", "x" * 200_000)
        assert fails(at(valkey, place))[:2] == ("too_large", False)


def test_what_lies_on_a_list_is_taken_away_when_it_is_kept(valkey: Door, store: redis.Redis) -> None:
    store.rpush("orders", '{"id": 1}', "two", b"\xff\0")
    rows = [{"id": 1}, {"body": "two"}, {"body": "\ufffd\ufffd"}]
    assert taken(at(valkey, "list"), kept=False) == (rows, None)
    assert store.llen("orders") == 3
    assert taken(at(valkey, "list")) == (rows, None)
    assert store.llen("orders") == 0
    assert taken(at(valkey, "list")) == ([], None)


def test_nothing_is_taken_away_that_somebody_else_was_given(
    valkey: Door, store: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.rpush("orders", *range(10))
    open_really, calls = ListReader.open, []

    async def opened(self: Any, most: int) -> None:
        calls.append(most)
        if len(calls) == 2:  # it is about to take away what it has read
            store.lpop("orders")
        await open_really(self, most)

    monkeypatch.setattr(ListReader, "open", opened)
    error_class, _, sentence = fails(at(valkey, "list"))
    assert (error_class, sentence.startswith("Others take from the list “orders” too")) == ("rejected", True)
    assert store.llen("orders") == 9


def test_a_queue_forgets_what_is_kept_and_nothing_else(broker: Broker) -> None:
    there = list(broker.waiting["orders"])
    rows = [{"id": 1}, {"id": 2}, {"body": "plain \ufffd"}]
    assert taken(at(broker, "queue"), kept=False) == (rows, None)
    assert (broker.waiting["orders"], broker.acknowledged) == (there, [])
    assert taken(at(broker, "queue")) == (rows, None)
    assert (broker.waiting["orders"], broker.acknowledged) == ([], there)
    assert taken(at(broker, "queue")) == ([], None)


def test_what_is_known_of_a_message_of_a_queue(broker: Broker) -> None:
    rows, _ = taken(at(broker, "queue", metadata=True))
    assert rows[0] == {"id": 1, "_message": {"id": "m1", "content_type": "application/json", **SHOP}}


def test_a_queue_whose_messages_others_take_is_not_waited_for(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amqp_messages, "IDLE_S", 0.05)
    broker.queues["gone"] = 7
    assert taken(at(broker, "queue", name="gone"))[0] == []


@in_turn("place", ["stream", "list", "queue"])
def test_a_test_takes_nothing_away(place: str, valkey: Door, store: redis.Redis, broker: Broker) -> None:
    store.delete("orders")
    store.xadd("orders", {"id": 1}) if place == "stream" else store.rpush("orders", '{"id": "1"}')
    broker.waiting["orders"] = [b'{"id": "1"}'] * 30
    came = first(at(broker if place == "queue" else valkey, place))
    assert came.error is None
    assert came.rows == [{"id": "1"}] * (20 if place == "queue" else 1)
    assert came.columns[0]["types"] == {"text": len(came.rows)}
    assert (len(broker.waiting["orders"]), broker.acknowledged) == (30, [])
    assert store.xlen("orders") if place == "stream" else store.llen("orders")


def test_it_speaks_tls_to_the_server_of_that_name(secure_valkey: Door, store: redis.Redis, pem: str) -> None:
    store.xadd("orders", {"id": 1})
    assert taken(at(secure_valkey, tls="verify", certificates=pem))[0] == [{"id": "1"}]
    assert fails(at(secure_valkey, tls="verify"))[0] == "tls"


def test_what_goes_wrong_is_said(valkey: Door, store: redis.Redis, broker: Broker) -> None:
    store.set("text", "x")
    no_list = ("rejected", False, "“text” is there, and is no list.")
    assert fails(at(valkey, "list", name="text")) == no_list
    assert fails(at(valkey, name="text")) == ("rejected", False, "“text” is there, and is no stream.")
    assert fails(at(valkey, password="wrong"))[:2] == ("auth", False)
    assert fails(at(broker, "queue", name="none")) == ("rejected", False, "There is no queue “none”.")
    assert fails(at(broker, "queue", password="wrong"))[:2] == ("auth", False)
    with Silent(b"+OK\r\n") as silent:
        assert fails(at(silent, timeout=1, password=""))[0] == "timeout"
    assert fails(at(silent))[0] == "connect"
    assert fails(at(valkey), allow="10.0.0.7")[:2] == ("refused", False)


@in_turn(
    "body, row",
    [
        (b'{"a": NaN}', {"body": '{"a": NaN}'}),
        (b'{"a": 1e999}', {"body": '{"a": 1e999}'}),
        (b'{"a": "\\u0000\\ud800"}', {"a": "\ufffd\ufffd"}),
        (b'{"__proto__": 1}', {"__proto__": 1}),
        (b"[" * 100_000, {"body": "[" * 100_000}),
        (b'{"a": %b%b}' % (b"[" * 600, b"]" * 600), {"body": f'{{"a": {"[" * 600}{"]" * 600}}}'}),
        (b'{"a": %b}' % (b"9" * 400), {"body": f'{{"a": {"9" * 400}}}'}),
        (b"null", {"body": "null"}),
        (b"", {"body": ""}),
    ],
)
def test_odd_messages_are_rows_too(body: bytes, row: Any) -> None:
    assert row_of(Message(body), {"field": "", "metadata": False}) == row


def test_what_is_known_of_a_message_can_be_stored_and_shown_as_its_row_can() -> None:
    headers: Any = {}
    for _ in range(200):
        headers = {"a": headers}
    odd = SimpleNamespace(
        body=b"{}", delivery_info={"routing_key": "a\ud800"}, properties={"application_headers": headers}
    )
    assert row_of(amqp_messages._message(odd), {"field": "", "metadata": True}) == {
        "_message": {"routing_key": "a\ufffd"}
    }


@in_turn(
    "given, field",
    [
        ({"place": "topic"}, "place"),
        ({"place": "queue", "field": "message"}, "field"),
        ({"place": "stream", "most": 0}, "most"),
        ({"place": "stream", "protocol": "amqp"}, "protocol"),
        ({"place": "stream", "host": "https://mq.example.com"}, "host"),
        ({"place": "stream", "name": ""}, "name"),
    ],
)
def test_what_cannot_be_read_is_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        source_of("STREAM", **{"name": "orders", "host": "mq.example.com", **given})
    assert set(caught.value.detail["configuration"]) == {field}  # type: ignore[call-overload]


@in_turn("place, tls, port", [("queue", "none", 5672), ("queue", "verify", 5671), ("list", "none", 6379)])
def test_the_port_is_the_usual_one(place: str, tls: str, port: int) -> None:
    source = source_of("STREAM", place=place, tls=tls, name="orders", host="mq.example.com")
    assert source.configuration["port"] == port


@pytest.mark.skipif(
    not os.environ.get("RABBITMQ_URL"),
    reason="it needs a RabbitMQ: set RABBITMQ_URL, like amqp://guest:guest@127.0.0.1:5672",
)
def test_a_real_rabbitmq_forgets_what_is_kept_and_nothing_else() -> None:
    from kombu import Connection  # noqa: PLC0415  only where there is one

    url = os.environ["RABBITMQ_URL"]
    parts = urlsplit(url)
    source = source_of(
        "STREAM", place="queue", name="badger-jobs-rows", host=parts.hostname, port=parts.port or 5672, tls="none",
        user=parts.username or "guest", password=parts.password or "guest", most=700, metadata=True,
    )  # fmt: skip
    with Connection(url) as server:
        queue = server.SimpleQueue("badger-jobs-rows")
        queue.clear()
        for number in range(1000):
            queue.put({"id": number}, headers={"n": number})
        rows, _ = taken(source, kept=False)
        assert [row["id"] for row in rows] == list(range(700))
        assert rows[7]["_message"]["headers"]["n"] == 7
        assert [row["id"] for row in taken(source)[0]] == list(range(700))
        assert [row["id"] for row in first(source).rows] == list(range(700, 720))
        assert [row["id"] for row in taken(source)[0]] == list(range(700, 1000))
        assert taken(source) == ([], None)
        queue.queue.delete()
    assert fails(source)[2] == "There is no queue “badger-jobs-rows”."
