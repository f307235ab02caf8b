"""A small template that names a large input many times: refused with a sentence, and never made."""

import tracemalloc
from typing import Any

import pytest

from badgerjobs.lib.handlebars import TemplateError
from jobs.events.types import type_of
from tests.jobs.events.performing import occasion

URL = "https://api.example.com/"
LARGE = "x" * 700_000
MANY = "{{input}}" * 100
SMTP = ("SMTP", {"host": "mail.example.com", "sender": "a@example.com"})
BROKER = ("BROKER", {"protocol": "redis", "host": "broker.example.com"})
DATABASE = ("DATABASE", {"host": "db.example.com", "database": "shop"})
MAIL = {"channel": "email", "to": ["a@example.com"], "subject": "s", "text": "t"}


@pytest.mark.parametrize(
    ("kind", "configuration", "connection", "what"),
    [
        ("NOTIFICATION", {**MAIL, "text": MANY}, SMTP, "the notification"),
        ("NOTIFICATION", {**MAIL, "text": "{{input}}", "html": "{{input}}"}, SMTP, "the notification"),
        ("NOTIFICATION", {**MAIL, "to": ["{{input}}"] * 50}, SMTP, "the notification"),
        ("NOTIFICATION", {"channel": "chat", "url": URL, "text": MANY}, None, "the notification"),
        (
            "NOTIFICATION",
            {"channel": "chat", "url": URL, "text": "t", "blocks": ["{{input}}"] * 50},
            None,
            "the notification",
        ),
        ("NOTIFICATION", {"channel": "webhook", "url": URL, "payload": ["{{input}}"] * 50}, None, "the notification"),
        ("ACTION", {"endpoint": URL, "body": MANY}, None, "the body"),
        ("ACTION", {"endpoint": URL + MANY}, None, "its URL with the headers"),
        ("ACTION", {"endpoint": URL, "headers": {"X-A": MANY, "X-B": MANY}}, None, "its URL with the headers"),
        ("MESSAGEBROKER", {"to": "list", "name": "n", "message": ["{{input}}"] * 50}, BROKER, "the message"),
        ("MESSAGEBROKER", {"to": "list", "name": "{{input}}" * 20}, BROKER, "its name with the headers"),
        (
            "MESSAGEBROKER",
            {"to": "stream", "name": "n", "message": 1, "headers": {"a": MANY}},
            BROKER,
            "its name with the headers",
        ),
        (
            "DATABASE_ACTION",
            {"statement": "SELECT 1", "parameters": {f"p{n}": "{{input}}" for n in range(50)}},
            DATABASE,
            "what is bound",
        ),
        ("DATABASE_ACTION", {"statement": "SELECT 1", "parameters": {"p": MANY}}, DATABASE, "what is bound"),
    ],
    ids=[
        "mail",
        "mail in two ways",
        "addresses",
        "chat",
        "blocks",
        "webhook",
        "body",
        "URL",
        "headers",
        "message",
        "name",
        "fields",
        "parameters",
        "one parameter",
    ],
)
def test_it_is_refused_before_it_is_made(kind: str, configuration: Any, connection: Any, what: str) -> None:
    made = occasion(kind, configuration, connection, LARGE)
    tracemalloc.start()
    try:
        with pytest.raises(TemplateError, match=f"With the input in it {what} is longer than"):
            type_of(kind).prepare(made)
        assert tracemalloc.get_traced_memory()[1] < 15_000_000
    finally:
        tracemalloc.stop()


def test_an_input_as_large_as_may_be_is_sent_whole() -> None:
    largest = "x" * 999_998
    assert (
        len(
            type_of("NOTIFICATION")
            .prepare(occasion("NOTIFICATION", {"channel": "webhook", "url": URL}, None, largest))
            .body
        )
        == 1_000_000
    )
    assert (
        type_of("MESSAGEBROKER")
        .prepare(occasion("MESSAGEBROKER", {"to": "list", "name": "n"}, BROKER, "x" * 1_000_000))
        .body
    )
