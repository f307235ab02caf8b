"""A broker message: published by AMQP, or added to a stream or a list of Redis or Valkey."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from rest_framework import serializers

from badgerjobs.lib.handlebars import Filling, TemplateError
from badgerjobs.outbound.relay import Unreachable
from badgerjobs.outbound.slots import HostFullError
from badgerjobs.runs.outcomes import Failed, Later, Outcome
from badgerjobs.web.definitions.fields import BODY_BYTES, JSONTemplateField, TemplateField, timeout_field
from badgerjobs.web.serializers import BoundedDictField, StrictSerializer
from jobs.events.means import Means
from jobs.events.types import Occasion, Type, amqp, redis
from jobs.events.types.action import json_bytes
from jobs.models import ConnectionType

# Where a message can go, and which protocol has such places.
PLACES: Mapping[str, str] = {
    "queue": "amqp",
    "exchange": "amqp",
    "stream": "redis",
    "list": "redis",
}


class MessageConfiguration(StrictSerializer):
    """What to publish, and where."""

    to = serializers.ChoiceField(list(PLACES), help_text="AMQP: queue or exchange. Redis and Valkey: stream or list.")
    name = TemplateField(max_length=250, help_text="Of the queue, exchange, stream or list; with placeholders.")
    routing_key = TemplateField(
        default="", allow_blank=True, max_length=250, help_text="exchange: where it goes from there; with placeholders."
    )
    message = JSONTemplateField(
        default=lambda: "{{input}}",  # type: ignore[arg-type,return-value]  # the stubs want an object
        allow_null=True,
        help_text="Any JSON, with placeholders; unless given, the input. A text is sent as it is, all else as JSON.",
    )
    headers = BoundedDictField(
        most=100,
        child=TemplateField(allow_blank=True, max_length=1000),
        default=dict,
        help_text="exchange and queue: headers of the message. stream: fields beside `message`. With placeholders.",
    )
    max_length = serializers.IntegerField(
        default=None,
        allow_null=True,
        min_value=1,
        max_value=1_000_000_000,
        help_text="stream and list: the oldest are dropped beyond so many; null: never. A stream keeps some more.",
    )
    timeout = timeout_field()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What this place knows nothing of is refused."""
        place = attrs["to"]
        wrong = {}
        if attrs["routing_key"] and place != "exchange":
            wrong["routing_key"] = [f"A {place} has no routing key: that is for an exchange."]
        if attrs["max_length"] and PLACES[place] != "redis":
            wrong["max_length"] = [
                f"How long {'an' if place == 'exchange' else 'a'} {place} may be, the broker decides."
            ]
        if attrs["headers"] and place == "list":
            wrong["headers"] = ["What is put on a list has no headers: let them be part of the message."]
        if wrong:
            raise serializers.ValidationError(wrong)
        return attrs


@dataclass(frozen=True, slots=True)
class Message:
    """Ready to be published. `id` is the run's, the same over its attempts."""

    id: str
    to: str
    name: str
    routing_key: str
    headers: Mapping[str, str]
    body: bytes
    is_text: bool
    max_length: int | None


def connection_type(_: Mapping[str, Any]) -> ConnectionType:
    """Every one of them goes to a broker."""
    return ConnectionType.BROKER


def fits(configuration: Mapping[str, Any], connection: Mapping[str, Any]) -> None:
    """Raise ValueError for a place that such a broker does not have."""
    place, protocol = configuration["to"], connection["protocol"]
    if PLACES[place] != protocol:
        others = " and ".join(f"{one}s" for one, its in PLACES.items() if its == protocol)
        raise ValueError(f"This connection speaks {protocol}, which has {others}, and no {place}s.")


def prepare(occasion: Occasion) -> Message:
    """The message with the input in it. Raises TemplateError."""
    given, values = occasion.configuration, occasion.values
    fits(given, occasion.connection)
    text = Filling(values, most=BODY_BYTES, what="the message")
    head = Filling(values, most=BODY_BYTES, what="its name with the headers")
    value = text.fill(given["message"])
    body = value.encode() if isinstance(value, str) else json_bytes(value)
    if len(body) > BODY_BYTES:
        raise TemplateError(f"The message has {len(body):,} bytes: at most {BODY_BYTES:,} can be sent.")
    name, key = head.render(given["name"]), head.render(given["routing_key"])
    if not name.strip() or max(len(name.encode()), len(key.encode())) > 250:
        raise TemplateError("The name, and the routing key, have 1 to 250 bytes.")
    headers = {header: head.render(template) for header, template in given["headers"].items()}
    return Message(
        str(occasion.run_id), given["to"], name, key, headers, body, isinstance(value, str), given["max_length"]
    )


async def perform(occasion: Occasion, message: Message, means: Means) -> Outcome:
    """Publish it, and wait until the broker says that it has it."""
    connection, timeout_s = occasion.connection, occasion.configuration["timeout"]
    blocks = connection["protocol"] != "redis"
    try:
        async with means.turn(connection, timeout_s, workspace=occasion.workspace, blocks=blocks) as turn:
            if not blocks:
                return await redis.publish(message, connection, turn.line)
            return await turn.in_thread(partial(amqp.publish, message, connection, turn.line, timeout_s))
    except HostFullError as full:
        return Later(full.wait_s)
    except TimeoutError:
        return Failed("timeout", f"{connection['host']} did not take the message within {timeout_s} s.")
    except Unreachable as error:
        return Failed(error.error_class, error.message, retry=error.error_class != "refused")


MESSAGEBROKER = Type(MessageConfiguration, prepare, perform, connection=connection_type, fits=fits)
