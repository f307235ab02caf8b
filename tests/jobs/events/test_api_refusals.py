"""What REST refuses in events and connections, and at which field it says so."""

import json
from typing import Any

import pytest

from jobs.models import Event
from tests.callers import Caller
from tests.in_turn import in_turn
from tests.jobs.events.rest_events import ACTION, CHAT, DATABASE, made


@in_turn(
    "fields, field, sentence",
    [
        ({"type": "ACTION", "configuration": {}}, "configuration.endpoint", "Give this field"),
        (
            {"type": "ACTION", "configuration": {"endpoint": "https://x.example", "bdy": ""}},
            "configuration.bdy",
            "did you mean body?",
        ),
        (
            {"type": "PIGEON", "configuration": {}},
            "type",
            "“PIGEON” is none of ACTION, NOTIFICATION, DATABASE_ACTION, FUNCTION, MESSAGEBROKER.",
        ),
        ({"type": "ACTION", "configuration": []}, "configuration", "Must be an object."),
        (
            {"type": "DATABASE_ACTION", "configuration": {"statement": "SELECT 1"}},
            "connection",
            "This needs a connection of the type DATABASE",
        ),
        (
            {"type": "DATABASE_ACTION", "configuration": {"statement": "SELECT '{{x}}'"}},
            "configuration.statement",
            "stands in quotes",
        ),
        (
            {"type": "ACTION", "configuration": ACTION, "connection": "db"},
            "connection",
            "This uses no connection: leave it out.",
        ),
        (
            {"type": "MESSAGEBROKER", "configuration": {"to": "queue", "name": "q"}, "connection": "db"},
            "connection",
            "is of the type DATABASE: this needs one of BROKER.",
        ),
        (
            {"type": "ACTION", "configuration": ACTION, "connection": "nope"},
            "connection",
            "There is no connection with the tag “nope”",
        ),
        (
            {"type": "MESSAGEBROKER", "configuration": {"to": "queue", "name": "q"}, "connection": "redis"},
            "connection",
            "which has streams and lists, and no queues.",
        ),
        (
            {"type": "FUNCTION", "configuration": {"code": "return 1"}, "tag": "try"},
            "tag",
            "is a word of the addresses themselves",
        ),
        (
            {"type": "FUNCTION", "configuration": {"code": "return 1"}, "tag": "a/b"},
            "tag",
            "neither “/” nor control characters",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_field(alice: Caller, fields: dict[str, Any], field: str, sentence: str) -> None:
    made(alice, "connections", tag="db", type="DATABASE", configuration=DATABASE)
    redis = {"protocol": "redis", "host": "redis.example.com"}
    made(alice, "connections", tag="redis", type="BROKER", configuration=redis)
    answer = alice.post("/events/", {"tag": "e", **fields})
    assert answer.status == 400
    assert sentence in answer.errors[field][0]


@pytest.mark.parametrize(
    ("channel", "field", "value"),
    [
        ("webhook", "payload", {"a": ["\ud800"]}),
        ("webhook", "payload", {"a\0": 1}),
        ("chat", "blocks", "\udfff"),
    ],
    ids=["half", "null", "text"],
)
def test_what_could_never_be_shown_again_is_refused(alice: Caller, channel: str, field: str, value: Any) -> None:
    configuration = {"channel": channel, "url": "https://a.example.com/", field: value}
    configuration |= {"text": "x"} if channel == "chat" else {}
    event = {"tag": "h", "type": "NOTIFICATION", "configuration": configuration}
    answer = alice.send("POST", "/events/", json.dumps(event).encode())
    assert answer.errors[f"configuration.{field}"] == [
        "This holds null characters or halves of letters: leave them out."
    ]
    assert alice.get("/events/").status == 200


def test_a_name_that_could_never_be_shown_again_is_refused(alice: Caller) -> None:
    configuration = {"to": "queue", "name": "q", "headers": {"\ud800": "x"}}
    made(alice, "connections", tag="b", type="BROKER", configuration={"protocol": "amqp", "host": "b.example.com"})
    event = {"tag": "h", "type": "MESSAGEBROKER", "connection": "b", "configuration": configuration}
    assert (
        "halves of letters"
        in alice.send("POST", "/events/", json.dumps(event).encode()).errors["configuration.headers"][0]
    )


@pytest.mark.parametrize("send", ["post", "put", "patch", "try"])
def test_a_configuration_is_bounded(alice: Caller, send: str) -> None:
    made(alice, tag="low", type="NOTIFICATION", configuration=CHAT)
    webhook = {"channel": "webhook", "url": "https://a.example.com/", "payload": ["é"] * 60_000}
    asked: Any = {
        "post": lambda given: alice.post("/events/", {**given, "tag": "new"}),
        "put": lambda given: alice.put("/events/low/", given),
        "patch": lambda given: alice.patch("/events/low/", given),
        "try": lambda given: alice.post("/events/try/", given),
    }[send]
    answer = asked({"type": "NOTIFICATION", "configuration": webhook})
    assert answer.status == 400, answer.body
    [said] = answer.errors["configuration"]
    assert said.startswith("As JSON, the configuration has 300,064 bytes: at most 262,144 are kept.")
    assert [event.configuration["channel"] for event in Event.objects.all()] == ["chat"]


@pytest.mark.parametrize("tag", ["\ud800", "a\0b"], ids=["half a letter", "null"])
def test_a_tag_that_nothing_could_have_is_no_connections(alice: Caller, tag: str) -> None:
    event = {"tag": "e", "type": "DATABASE_ACTION", "connection": tag, "configuration": {"statement": "SELECT 1"}}
    answer = alice.send("POST", "/events/", json.dumps(event).encode())
    assert answer.status == 400
    assert answer.errors["connection"] == ["Give the tag of a connection, as text."]


def test_what_is_not_ascii_is_no_certificate(alice: Caller) -> None:
    given = {"tag": "db", "type": "DATABASE", "configuration": {**DATABASE, "certificates": "é"}}
    answer = alice.post("/connections/", given)
    assert answer.status == 400
    assert "This is no certificate in PEM" in answer.errors["configuration.certificates"][0]
