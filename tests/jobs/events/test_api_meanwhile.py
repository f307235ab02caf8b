"""What REST says when a connection is deleted while an event is stored that uses it."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from jobs.events import services as event_services
from jobs.events.services import configuration_of
from jobs.models import Connection, Event
from tests.callers import Caller
from tests.jobs.events.rest_events import DATABASE, made


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("verb", "path", "headers"),
    [("POST", "/events/", {}), ("POST", "/events/", {"Idempotency-Key": "k"}), ("PUT", "/events/e/", {})],
    ids=["post", "keyed post", "put"],
)
def test_a_connection_that_is_deleted_meanwhile_is_a_conflict(
    alice: Caller, monkeypatch: pytest.MonkeyPatch, verb: str, path: str, headers: dict[str, str]
) -> None:
    made(alice, "connections", tag="db", type="DATABASE", configuration=DATABASE)

    def elsewhere() -> None:
        Connection.objects.all().delete()
        connection.close()

    def deleted(event: Event, given: Any) -> dict[str, Any]:
        with ThreadPoolExecutor(1) as other:
            other.submit(elsewhere).result()
        return configuration_of(event, given)

    monkeypatch.setattr(event_services, "configuration_of", deleted)
    body = {"tag": "e", "type": "DATABASE_ACTION", "connection": "db", "configuration": {"statement": "SELECT 1"}}
    answer = alice.send(verb, path, json.dumps(body).encode(), **headers)

    assert (answer.status, answer.body["detail"]) == (409, "This connection was deleted in the meantime.")
    assert not Event.objects.exists()


def test_an_event_cannot_take_a_connection_that_is_deleted_meanwhile(
    alice: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tag in ("db", "gone"):
        made(alice, "connections", tag=tag, type="DATABASE", configuration=DATABASE)
    made(alice, tag="e", type="DATABASE_ACTION", connection="db", configuration={"statement": "SELECT 1"})

    def deleted(event: Event, given: Any) -> dict[str, Any]:
        Connection.objects.filter(tag="gone").delete()
        return configuration_of(event, given)

    monkeypatch.setattr(event_services, "configuration_of", deleted)
    assert alice.patch("/events/e/", {"connection": "gone"}).status == 409
