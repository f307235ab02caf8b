"""Each type of event does its work for real: jobs by REST, a beat and a worker, and servers that are spoken to."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from badgerjobs.embedded.postgres import DATABASE, USER
from badgerjobs.lib import signatures
from tests.e2e.receiver import Receiver
from tests.e2e.stack import Stack
from tests.stand_ins import Broker, Door, MailServer

pytestmark = pytest.mark.e2e

LOCAL = {"host": "127.0.0.1"}


@pytest.fixture(scope="module")
def _whole(_whole_stack: Stack) -> Iterator[Stack]:
    before = _whole_stack.environment
    _whole_stack.environment = {**before, "EGRESS_ALLOW": "127.0.0.1"}
    _whole_stack.kill("web")
    _whole_stack.start("web", "beat-1", "worker-1")
    yield _whole_stack
    _whole_stack.clear()
    _whole_stack.sql("TRUNCATE jobs_event, jobs_connection CASCADE")
    _whole_stack.environment = before
    _whole_stack.kill("web")
    _whole_stack.start("web")


@pytest.fixture
def stack(_whole: Stack) -> Iterator[Stack]:
    """A beat and a worker that may connect to this machine."""
    yield _whole
    _whole.forget()


def post(stack: Stack, path: str, body: Any) -> Any:
    reply = stack.request("POST", path, body)
    assert reply.status in {200, 201, 202}, reply
    return reply.data


def performed(  # noqa: PLR0917
    stack: Stack, tag: str, kind: str, configuration: Any, given: Any, connection: Any = None
) -> Any:
    """An event is made, tried out with the input, then performed by a job that is due now. Returns its attempt."""
    if connection:
        post(stack, "connections/", {"tag": tag, "type": connection[0], "configuration": connection[1]})
    event = {"tag": tag, "type": kind, "configuration": configuration, "connection": tag if connection else None}
    post(stack, "events/", event)
    tried = post(stack, f"events/{tag}/try/", {"input": given})
    assert tried["ok"], tried
    job = {"tag": tag, "event_type": kind, "event_tag": tag, "input": given, "run_at": "2026-01-01T00:00:00Z"}
    post(stack, "jobs/", job)
    ended = """
        SELECT a.ok, a.error, a.result
        FROM runs_attempt a JOIN runs_runnable r ON r.id = a.runnable_id WHERE r.name = %s
    """
    stack.until(lambda: stack.sql(ended, tag), f"{tag} is performed")
    [(ok, error, result)] = stack.sql(ended, tag)
    assert ok, error
    return result


def test_an_action_calls_with_its_input(stack: Stack, receiver: Receiver) -> None:
    event = {"endpoint": f"{receiver.url}/products/{{{{input.id}}}}", "body": '{"by": {{input.by}}}'}
    result = performed(stack, "act", "ACTION", event, {"id": "a/b", "by": [1, "x"]})
    assert result["status"] == 200
    assert [call.path for call in receiver.calls] == ["/products/a%2Fb"] * 2
    assert json.loads(receiver.calls[-1].body) == {"by": [1, "x"]}
    assert receiver.calls[0].id != receiver.calls[1].id


def test_a_notification_is_mailed_told_to_a_chat_and_posted_signed(stack: Stack, receiver: Receiver) -> None:
    with MailServer() as server:
        connection = {**LOCAL, "port": server.port, "security": "none", "sender": "Shop <shop@example.com>"}
        event = {
            "channel": "email",
            "to": ["{{input.to}}"],
            "subject": "{{input.what}}",
            "text": "It is {{input.what}}.",
        }
        given = {"to": "alice@example.com", "what": "Low"}
        result = performed(stack, "mail", "NOTIFICATION", event, given, ("SMTP", connection))
        assert result["accepted"] == ["alice@example.com"]
        assert [mail["Subject"] for mail in server.mails] == ["Low", "Low"]
        assert server.mails[-1]["Message-ID"] == result["message_id"]

    chat = {"channel": "chat", "url": f"{receiver.url}/chat", "text": "{{input.what}}!"}
    assert performed(stack, "chat", "NOTIFICATION", chat, given)["status"] == 200
    assert json.loads(receiver.calls[-1].body) == {"text": "Low!"}

    hook = {"channel": "webhook", "url": f"{receiver.url}/hook"}
    assert performed(stack, "hook", "NOTIFICATION", hook, given)["status"] == 200
    call = receiver.calls[-1]
    key = stack.get("application/signing-key/")["signing_key"]
    at, signature = call.headers["webhook-timestamp"], call.headers["webhook-signature"]
    signatures.verify(key, call.id, at, signature, call.body, now=call.at)
    assert json.loads(call.body) == given


def test_a_database_action_writes_and_reads(stack: Stack) -> None:
    stack.sql("CREATE TABLE IF NOT EXISTS stock (id int, name text)")
    with Door(str(stack.layout.socket_dir / ".s.PGSQL.5432")) as door:
        password = stack.layout.secret("postgres_password")
        server = {**LOCAL, "port": door.port, "database": DATABASE, "user": USER, "password": password, "tls": "none"}
        event = {"statement": "INSERT INTO stock VALUES ({{input.id}}, %(name)s) RETURNING id, name", "writes": True}
        given = {"id": 7, "name": "'); DROP TABLE stock; --"}
        result = performed(stack, "sql", "DATABASE_ACTION", event, given, ("DATABASE", server))
    assert (result["rows_affected"], result["rows"]) == (1, [given])
    assert stack.sql("SELECT id, name FROM stock") == [(7, given["name"])] * 2
    stack.sql("DROP TABLE stock")


def test_a_function_returns_a_value(stack: Stack) -> None:
    event = {"code": "console.log(run.number); return {sum: input.a + input.b}"}
    result = performed(stack, "sum", "FUNCTION", event, {"a": 1, "b": 2})
    assert result["value"] == {"sum": 3}
    assert stack.sql("SELECT output FROM runs_run WHERE kind = 'event'") == [({"sum": 3},)]


def test_a_message_goes_to_a_stream_of_valkey_and_to_a_queue_by_amqp(stack: Stack) -> None:
    with Door(str(stack.layout.valkey_socket)) as door, stack.valkey() as valkey:
        password = stack.layout.secret("valkey_password")
        server = {**LOCAL, "protocol": "redis", "port": door.port, "password": password, "tls": "none"}
        event = {"to": "stream", "name": "orders", "message": {"id": "{{input.id}}"}}
        result = performed(stack, "stream", "MESSAGEBROKER", event, {"id": 7}, ("BROKER", server))
        entries = valkey.xrange("orders")
    assert [fields[b"message"] for _, fields in entries] == [b'{"id":7}'] * 2
    assert entries[-1][0].decode() == result["message_id"]

    with Broker({"orders": 0}) as broker:
        server = {**LOCAL, "protocol": "amqp", "port": broker.port, "user": "u", "password": "secret", "tls": "none"}
        event = {"to": "queue", "name": "orders"}
        performed(stack, "queue", "MESSAGEBROKER", event, {"id": 7}, ("BROKER", server))
        assert [json.loads(sent.body) for sent in broker.published] == [{"id": 7}] * 2
