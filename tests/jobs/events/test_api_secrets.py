"""Secrets of events and connections by REST: they never come back, and go to nobody else."""

import json

from django.db import connection

from badgerjobs.lib.vault import MASK
from badgerjobs.workspaces.models import AuditEntry
from jobs.models import Connection, Event
from tests.callers import Caller
from tests.jobs.events.rest_events import ACTION, DATABASE, made


def test_secrets_never_come_back_nor_lie_open_in_the_database(alice: Caller) -> None:
    made(alice, tag="call", type="ACTION", configuration=ACTION)
    server = made(alice, "connections", tag="db", type="database", configuration=DATABASE)

    assert server["configuration"]["password"] == MASK
    said = json.dumps([alice.walk("/events/"), alice.walk("/connections/"), list(AuditEntry.objects.values("changes"))])
    assert "hunter2" not in said
    assert Event.objects.get().configuration["headers"]["Authorization"] == "Bearer hunter2"
    assert Connection.objects.get().configuration["password"] == "hunter2"
    with connection.cursor() as cursor:
        cursor.execute("SELECT configuration FROM jobs_event UNION ALL SELECT configuration FROM jobs_connection")
        assert "hunter2" not in str(cursor.fetchall())


def test_what_was_read_can_be_sent_back_and_keeps_the_secrets(alice: Caller) -> None:
    made(alice, tag="call", type="ACTION", configuration=ACTION)
    read = alice.get("/events/call/").body

    for send in (alice.patch, alice.put):
        answer = send("/events/call/", {**read, "name": "Call"})
        assert answer.status == 200, answer.body
    assert Event.objects.get().configuration["headers"]["Authorization"] == "Bearer hunter2"


def test_stored_secrets_are_sent_to_nobody_else(alice: Caller) -> None:
    made(alice, tag="call", type="ACTION", configuration=ACTION)
    made(alice, "connections", tag="db", type="DATABASE", configuration=DATABASE)

    elsewhere = {**ACTION, "endpoint": "https://evil.example.com/", "headers": {"Authorization": MASK}}
    for send, at in ((alice.patch, "/events/call/"), (alice.post, "/events/call/try/")):
        answer = send(at, {"configuration": elsewhere})
        assert "was not meant for" in answer.errors["configuration.headers"][0]
    for change in ({"host": "evil.example.com"}, {"port": 1}, {"tls": "none"}, {"tls": "unverified"}):
        answer = alice.patch("/connections/db/", {"configuration": {**DATABASE, "password": MASK, **change}})
        assert "was not meant for" in answer.errors["configuration.password"][0], change
    assert Connection.objects.get().configuration["host"] == "db.example.com"


def test_stars_for_nothing_stored_are_refused(alice: Caller) -> None:
    answer = alice.post(
        "/connections/", {"tag": "db", "type": "DATABASE", "configuration": {**DATABASE, "password": MASK}}
    )
    assert "there is none. Send the value itself." in answer.errors["configuration.password"][0]
