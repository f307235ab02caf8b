"""How the configurations of events and connections look in a form: a literal table, type → field → its look.

What may stand in a field, its serializer says. A field or a type without a row here is shown by its name and with what
the serializer says of it, so that a new type has a page without one.
"""

from collections.abc import Mapping
from typing import Any

from badgerjobs.web.definitions.looks import Look, SerializerField, arranged
from badgerjobs.web.serializers import StrictSerializer
from jobs.events.connections import CONNECTION_TYPES
from jobs.events.types import EVENT_TYPES, type_of
from jobs.models import ConnectionType, EventType

# What each type is for, in a line.
LINES: Mapping[str, str] = {
    EventType.ACTION: "Calls a URL of yours, with the input of the job in its path, query, headers or body.",
    EventType.NOTIFICATION: "Tells somebody: by mail, in a chat as Slack takes it, or at a signed webhook.",
    EventType.DATABASE_ACTION: "Runs one SQL statement, with the input of the job as bound parameters.",
    EventType.FUNCTION: "Runs JavaScript of yours in a sandbox, with the input of the job; or a background task.",
    EventType.MESSAGEBROKER: "Publishes a message by AMQP, or to a stream or a list of Redis or Valkey.",
    ConnectionType.SMTP: "Sends the mails of notifications.",
    ConnectionType.DATABASE: "Runs the statements of database actions.",
    ConnectionType.BROKER: "Takes the messages of events: RabbitMQ by AMQP, Redis or Valkey.",
}


# By what a type chooses which of its other fields it has.
CHOICES: Mapping[str, str] = {
    EventType.NOTIFICATION: "channel",
    EventType.MESSAGEBROKER: "to",
    ConnectionType.BROKER: "protocol",
}

# The field of a function that names a background task.
TASK = "background_task"

_TIMEOUT = Look("Gives up after", more=True, unit="s")
_SERVER = {
    "host": Look("Host", "Its name, as its certificate says it. No scheme, no port.", placeholder="db.example.com"),
    "port": Look("Port"),
    "user": Look("User"),
    "password": Look("Password", "Kept encrypted, and shown as stars. Stars that stay keep the stored one."),
}
_TLS = Look("TLS", words={"verify": "Certificate checked", "unverified": "Certificate not checked", "none": "No TLS"})
_CERTIFICATES = Look(
    "Certificates", "PEM of the authorities to trust in place of the usual ones.", rows=3, more=True,
    placeholder="-----BEGIN CERTIFICATE-----",
)  # fmt: skip

LOOKS: Mapping[str, Mapping[str, Look]] = {
    EventType.ACTION: {
        "verb": Look("Verb"),
        "endpoint": Look(
            "Endpoint", "{{input.id}} is what the job gives, percent-encoded: in the path and the query, not the host.",
            placeholder="https://example.com/products/{{input.id}}", joined="verb",
        ),
        "headers": Look(
            "Headers",
            "Placeholders may stand in values. Credentials are kept encrypted and shown as stars.",
        ),
        "body": Look(
            "Body", 'In JSON a placeholder becomes JSON: {"by": {{input.by}}}. In a form it is encoded.', editor="json",
            rows=5,
        ),
        "fail_statuses": Look(
            "Answers that fail", "Statuses and ranges, like 400-599 or 429,500-599; or none.", more=True
        ),
        "retry_statuses": Look(
            "Tried again after", "Empty: after any answer that fails.", more=True, placeholder="any that fails"
        ),
        "timeout": _TIMEOUT,
    },
    EventType.NOTIFICATION: {
        "channel": Look("By", words={"email": "Mail", "chat": "Chat", "webhook": "Webhook"}),
        "to": Look("To", "One address a line, 50 at most; placeholders too.", rows=2, only=("email",)),
        "subject": Look("Subject", only=("email",), placeholder="{{input.product}} is low"),
        "url": Look(
            "URL", "Kept encrypted, and shown as stars. Stars that stay keep the stored one.", only=("chat", "webhook"),
            placeholder="https://hooks.slack.com/services/…",
        ),
        "text": Look("Text", "{{input.product}} is what the job gives.", rows=4, only=("email", "chat")),
        "html": Look("HTML", "The same as HTML, perhaps. Values are put in as they are.", rows=4, only=("email",)),
        "blocks": Look("Blocks", "JSON, perhaps: blocks as Slack has them.", editor="json", rows=4, only=("chat",)),
        "payload": Look(
            "Payload", "JSON; the whole input where this is empty. It is signed by the key of the application.",
            editor="json", rows=4, only=("webhook",),
        ),
        "timeout": _TIMEOUT,
    },
    EventType.DATABASE_ACTION: {
        "statement": Look(
            "Statement", "{{input.id}} is bound as a parameter, and so is %(name)s; in quotes they are refused. "
            "A number may need a cast: {{input.id}}::int.", editor="sql", rows=6,
        ),
        "parameters": Look(
            "Parameters", "Name → JSON for %(name)s. What is missing here is taken from the input.", editor="json",
            rows=3,
        ),
        "writes": Look("Writes", "It may change something. Otherwise its transaction is read-only."),
        "max_rows": Look("Keeps", more=True, unit="rows at most"),
        "timeout": _TIMEOUT,
    },
    EventType.FUNCTION: {
        "code": Look(
            "Code", "The inside of a function: it sees input and run, and returns a value.", editor="javascript",
            rows=12,
            placeholder="return {total: input.prices.reduce((sum, price) => sum + price, 0)}",
        ),
        TASK: Look(
            "Background task", "In place of code: the ID of a public definition of this installation.",
            placeholder="syncArticles",
        ),
        "input": Look("Its input", "JSON: an object. The whole input where this is empty.", editor="json", rows=4),
        "timeout_ms": Look("Gives up after", more=True, unit="ms"),
    },
    EventType.MESSAGEBROKER: {
        "to": Look("To", words={"queue": "Queue", "exchange": "Exchange", "stream": "Stream", "list": "List"}),
        "name": Look("Its name", "Queues and exchanges must be there already; streams and lists are made."),
        "routing_key": Look("Routing key", only=("exchange",)),
        "message": Look(
            "Message", "JSON; the whole input where this is empty. A text is sent as it is, all else as JSON.",
            editor="json", rows=4,
        ),
        "headers": Look("Headers", "Placeholders may stand in values.", only=("queue", "exchange", "stream")),
        "max_length": Look("Keeps", "Empty: all. Else the oldest are dropped.", only=("stream", "list"), more=True),
        "timeout": _TIMEOUT,
    },
    ConnectionType.SMTP: {
        **_SERVER,
        "host": Look("Host", _SERVER["host"].hint, placeholder="smtp.example.com"),
        "security": Look("Security", words={"starttls": "STARTTLS", "tls": "TLS", "none": "None"}),
        "sender": Look("Sender", placeholder="Example Shop <shop@example.com>"),
        "certificates": _CERTIFICATES,
    },
    ConnectionType.DATABASE: {
        "engine": Look(
            "Engine", "MySQL and MariaDB where the operator of this installation added their driver.",
            words={"postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB"},
        ),
        **_SERVER,
        "database": Look("Database"),
        "tls": _TLS,
        "certificates": _CERTIFICATES,
    },
    ConnectionType.BROKER: {
        "protocol": Look("Protocol", words={"amqp": "AMQP", "redis": "Redis or Valkey"}),
        **_SERVER,
        "host": Look("Host", _SERVER["host"].hint, placeholder="broker.example.com"),
        "port": Look("Port", "Empty: 5671, or 5672 without TLS; of Redis and Valkey 6379."),
        "virtual_host": Look("Virtual host", only=("amqp",)),
        "database": Look("Database", "A number, 0 unless given.", only=("redis",)),
        "tls": _TLS,
        "certificates": _CERTIFICATES,
    },
}  # fmt: skip


def configuration_serializer(type_name: str) -> type[StrictSerializer]:
    """What may stand in the configuration of an event or of a connection of this type."""
    return type_of(type_name).serializer if type_name in EVENT_TYPES else CONNECTION_TYPES[type_name]


def configuration_fields(type_name: str) -> Mapping[str, SerializerField]:
    """The fields of a type, by name, in the order of its looks; those without a look stand last."""
    return arranged(configuration_serializer(type_name), looks_of(type_name))


def looks_of(type_name: str) -> Mapping[str, Look]:
    """Field → how it is shown; empty for a type without a row here."""
    return LOOKS.get(type_name, {})


def connection_types(type_name: str) -> set[str]:
    """The types of the connections that an event of this type may need, whatever is chosen in it."""
    found = type_of(type_name)
    chooser = CHOICES.get(type_name)
    choices = found.serializer().fields[chooser].choices if chooser else ()  # type: ignore[attr-defined]
    asked: list[dict[str, Any]] = [{str(chooser): choice} for choice in choices] or [{}]
    return {str(needed) for given in asked if (needed := found.connection(given))}
