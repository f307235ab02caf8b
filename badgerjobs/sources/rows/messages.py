"""Rows out of a message broker: what waits in a queue, a stream or a list, each message a row."""

import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

from rest_framework import serializers

from badgerjobs.lib.finite_numbers import finite, finite_whole
from badgerjobs.lib.json_depth import is_deeper
from badgerjobs.lib.json_texts import MOST_LEVELS
from badgerjobs.lib.storable import cleaned, is_storable
from badgerjobs.servers.configurations import BrokerConfiguration
from badgerjobs.sources.means import Means
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.rows.pulling import Given
from badgerjobs.sources.rows.pulls import Chunk, Pull
from badgerjobs.web.definitions.fields import timeout_field
from badgerjobs.web.serializers import OneOfField

QUEUE, STREAM, LIST = "queue", "stream", "list"
# Where messages wait, and which protocol has such places.
PLACES: Mapping[str, str] = {QUEUE: "amqp", STREAM: "redis", LIST: "redis"}
# A broker counts what is given out and not acknowledged yet in 16 bits.
MOST_MESSAGES, MOST_USUALLY = 65_000, 10_000
BODY, ABOUT = "body", "_message"


class MessagesConfiguration(BrokerConfiguration):
    """A broker, who signs in to it, and where the messages wait."""

    protocol = None  # type: ignore[assignment]  # the place says it
    place = OneOfField(
        [(QUEUE, "Queue of RabbitMQ"), (STREAM, "Stream of Redis or Valkey"), (LIST, "List of Redis or Valkey")],
        help_text="Where they wait: queue (RabbitMQ), stream or list (Redis and Valkey).",
    )
    name = serializers.CharField(max_length=250, help_text="Of the queue, the stream or the list.")
    field = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=250,
        help_text="stream: the field that has the message. Empty: all fields of an entry are columns.",
    )
    metadata = serializers.BooleanField(
        default=False, help_text="Whether a row has what is known of its message besides, as `_message`."
    )
    most = serializers.IntegerField(
        default=MOST_USUALLY,
        min_value=1,
        max_value=MOST_MESSAGES,
        help_text=f"So many messages are taken by a pull at most, 1 to {MOST_MESSAGES:,}; the rest waits for the next.",
    )
    timeout = timeout_field()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What the place says of the protocol, and what only a stream has."""
        if attrs["field"] and attrs["place"] != STREAM:
            raise serializers.ValidationError({"field": [f"A message of a {attrs['place']} has no fields."]})
        return super().validate({**attrs, "protocol": PLACES[attrs["place"]]})


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `fields` are those of an entry of a stream; `about` is what is known of it besides, as JSON."""

    body: bytes = b""
    fields: Mapping[str, bytes] | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


Taken = tuple[Sequence[Message], int]


class Reader(Protocol):
    """Reads one place. Everything raises PullError."""

    @property
    def remembered(self) -> Any:
        """What to go on from the next time; None where the broker itself knows what is left."""

    async def open(self, most: int) -> None:
        """Connect. So many messages are wanted at most."""

    async def some(self, most: int) -> Taken:
        """The next ones, so many at most, and how many bytes they have; none where no more wait."""

    async def acknowledge(self) -> None:
        """What was given is stored for good: the broker may forget it."""

    async def close(self) -> None:
        """Let go of the connection. What was not acknowledged waits again."""


Open = Callable[[Mapping[str, Any], Means, Any], Reader]


class MessagesPull(Pull):
    """What waits in one place when it begins, or so much of it as is taken at once.

    Nothing is taken away from the broker before `settle` says that it is kept.
    """

    readers: Mapping[str, Open]

    def __init__(self, source: DataSource, given: Given, means: Means) -> None:
        super().__init__(source, given, means)
        self._reader = self.readers[self.configuration["place"]](self.configuration, means, given.remembered)
        self._is_open = False

    async def batches(self) -> AsyncGenerator[list[Any], None]:
        """See `Pulling`."""
        async with aclosing(super().batches()) as batches:
            async for batch in batches:
                yield batch
        self.remembered = self._reader.remembered

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """See `Pull`."""
        given = self.configuration
        left = min(given["most"], self.enough or given["most"])
        until = time.monotonic() + given["timeout"]
        self._is_open = True
        try:
            await self._reader.open(left)
            while left > 0 and time.monotonic() < until:
                messages, length = await self._reader.some(left)
                if not messages:
                    break
                left -= len(messages)
                yield [row_of(message, given) for message in messages], length
        except BaseException:
            await self._close()
            raise

    async def settle(self, *, kept: bool) -> None:
        """See `Pulling`."""
        try:
            if kept and self._is_open:
                await self._reader.acknowledge()
        finally:
            await self._close()

    async def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            await self._reader.close()


def row_of(message: Message, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """A message that is a JSON object is that; any other is a text. An entry's fields are columns."""
    fields, name = message.fields, configuration["field"]
    if fields is None:
        row = _read(message.body)
    elif name and name in fields:
        row = _read(fields[name])
    else:
        row = {each: _text(value) for each, value in fields.items()}
    if configuration["metadata"]:
        row = {**row, ABOUT: dict(message.about)}
    return row if is_storable(row) else cleaned(row)


def _read(body: bytes) -> dict[str, Any]:
    """An object that is not too deep for those who read it later, as rows of other sources are; else the text."""
    text = _text(body)
    try:
        value = json.loads(text, parse_float=finite, parse_int=finite_whole, parse_constant=finite)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) and not is_deeper(value, MOST_LEVELS) else {BODY: text}


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
