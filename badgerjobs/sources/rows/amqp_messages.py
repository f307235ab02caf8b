"""Messages in queues of AMQP 0-9-1, as RabbitMQ speaks it."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from amqp.exceptions import AMQPError, NotFound

from badgerjobs.lib.json_depth import is_deeper
from badgerjobs.lib.json_texts import MOST_LEVELS
from badgerjobs.outbound.relay import Line
from badgerjobs.servers.amqp import NO_AMQP, connected, failed, said_by
from badgerjobs.sources.means import Means
from badgerjobs.sources.rows.messages import Message, Taken
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.reaching import Meter, line_to, of_failed

# When so little comes of what the broker said that waits, others have taken the rest.
IDLE_S = 5.0
MOST_AT_ONCE, WANTED_BYTES = 500, 1_000_000
PROPERTIES = ("message_id", "content_type", "correlation_id", "type", "app_id")
DELIVERY = ("exchange", "routing_key", "redelivered")

T = TypeVar("T")


class QueueReader:
    """What waits in a queue when it begins. One connection from the first message to the last acknowledgement.

    The driver blocks, so it has a thread of its own.
    """

    remembered: Any = None

    def __init__(self, configuration: Mapping[str, Any], means: Means, _remembered: Any) -> None:
        self._given, self._means = configuration, means
        self._stack, self._blocking = AsyncExitStack(), ExitStack()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="queue")
        self._meter: Meter | None = None
        self._connection: Any = None
        self._channel: Any = None
        self._consumer = ""
        self._came: deque[Any] = deque()
        self._left = self._tag = 0

    async def open(self, most: int) -> None:
        """See `Reader`."""
        line = await self._stack.enter_async_context(line_to(self._given, self._means))
        self._meter = Meter(line, self._given["host"])
        await self._in_thread(lambda: self._open(line, most))

    async def some(self, most: int) -> Taken:
        """See `Reader`."""
        assert self._meter  # noqa: S101
        if not self._left:
            return [], 0
        found = await self._in_thread(lambda: self._drain(most))
        self._left = self._left - len(found) if found else 0
        return [_message(one) for one in found], self._meter.taken()

    async def acknowledge(self) -> None:
        """See `Reader`."""
        if self._tag:
            await self._in_thread(self._acknowledge)

    async def close(self) -> None:
        """See `Reader`. The line is cut first where the broker does not let go of it."""
        try:
            async with asyncio.timeout(IDLE_S):
                await asyncio.wrap_future(self._thread.submit(self._blocking.close))
        except Exception:  # it is gone
            self._came.clear()
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)
            await self._stack.aclose()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Raises PullError."""
        try:
            return await asyncio.wrap_future(self._thread.submit(work))
        except (AMQPError, OSError, *NO_AMQP) as error:
            raise self._fault(error) from None

    def _open(self, line: Line, most: int) -> None:
        """Sign in, and ask for as many as wait there now."""
        self._connection = self._blocking.enter_context(connected(self._given, line, self._given["timeout"]))
        self._channel = self._connection.channel()
        self._channel.auto_decode = False
        there = self._channel.queue_declare(queue=self._given["name"], passive=True).message_count
        self._left = min(most, there)
        if self._left:
            self._channel.basic_qos(0, self._left, False)  # noqa: FBT003  the driver's own order
            self._consumer = self._channel.basic_consume(queue=self._given["name"], callback=self._came.append)

    def _drain(self, most: int) -> list[Any]:
        """The next ones; none where for a while none came."""
        found: list[Any] = []
        length, wanted = 0, min(most, self._left, MOST_AT_ONCE)
        until = time.monotonic() + IDLE_S
        while len(found) < wanted and length < WANTED_BYTES and (wait_s := until - time.monotonic()) > 0:
            if not self._came:
                with suppress(TimeoutError):
                    self._connection.drain_events(timeout=wait_s)
            while self._came and len(found) < wanted:
                found.append(self._came.popleft())
                self._tag = found[-1].delivery_tag
                length += len(found[-1].body)
        return found

    def _acknowledge(self) -> None:
        """All of them, and wait until the broker has heard it. It is to give no others in their place."""
        self._channel.basic_cancel(self._consumer)
        self._channel.basic_ack(self._tag, multiple=True)
        self._channel.close()

    def _fault(self, error: Exception) -> PullError:
        if self._meter and (fault := self._meter.fault()):
            return fault
        if isinstance(error, NotFound):
            return PullError("rejected", f"There is no queue “{self._given['name']}”.", retry=False)
        if told := failed(error, self._given, self._given["timeout"]):
            return of_failed(told)
        return PullError("rejected", f"{self._given['host']} refused: {said_by(error, [self._given['password']])}")


def _message(one: Any) -> Message:
    properties, delivery = one.properties, one.delivery_info
    about = {name.removeprefix("message_"): properties[name] for name in PROPERTIES if properties.get(name)}
    if moment := _moment(properties.get("timestamp")):
        about["time"] = moment
    about |= {name: delivery[name] for name in DELIVERY if name in delivery}
    headers = properties.get("application_headers")
    if headers and not is_deeper(headers, MOST_LEVELS):
        about["headers"] = json.loads(json.dumps(headers, default=str))
    body = one.body
    return Message(body.encode() if isinstance(body, str) else bytes(body), about=about)


def _moment(said: Any) -> str:
    """When it was sent, in seconds or as the driver reads them; empty where that is no time."""
    try:
        found = said if isinstance(said, datetime) else datetime.fromtimestamp(said, UTC)
        return found.replace(tzinfo=found.tzinfo or UTC).isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return ""
