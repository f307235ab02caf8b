"""Message brokers: what waits in a queue of RabbitMQ, or in a stream or a list of Redis or Valkey."""

from collections.abc import Mapping
from typing import Any

from badgerjobs.servers.configurations import SECRETS
from badgerjobs.sources.rows.amqp_messages import QueueReader
from badgerjobs.sources.rows.messages import LIST, QUEUE, MessagesConfiguration, MessagesPull
from badgerjobs.sources.rows.messages import STREAM as STREAM_PLACE
from badgerjobs.sources.rows.redis_messages import ListReader, StreamReader
from badgerjobs.sources.types import Type


class BrokerPull(MessagesPull):
    """With the readers that there are."""

    readers = {QUEUE: QueueReader, STREAM_PLACE: StreamReader, LIST: ListReader}


def variables(_: Mapping[str, Any]) -> list[str]:
    """None: its fields have no placeholders."""
    return []


STREAM = Type(MessagesConfiguration, variables, None, None, SECRETS, BrokerPull)
