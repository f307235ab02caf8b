"""One connection's incoming bytes, with bounds on what aiohttp lets through without end."""

from typing import Any

from aiohttp import StreamReader
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_parser import RawResponseMessage

from badgerjobs.outbound.reading import GarbledError

# Interim answers (1xx) before the one that counts, and all their headers together, in bytes.
MOST_INTERIM = 100
LONGEST_INTERIM = 64 * 1024
# What chunks may cost around their content: as much as it, and this many bytes.
MOST_FRAMING = 2**20
# How much is parsed before it is asked whether that was too much: one read may hold ten thousand interim answers.
SLICE = 16 * 1024


class Conversation(ResponseHandler):
    """aiohttp's end of a connection. What goes on without coming to its point ends in `GarbledError`."""

    _interim = _interim_bytes = _received = 0

    def set_response_params(self, **params: Any) -> None:
        """Begin the next answer."""
        self._interim = self._interim_bytes = self._received = 0
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """Take what has come, a slice at a time."""
        if len(data) <= SLICE:
            return self._take(data)
        for start in range(0, len(data), SLICE):
            if self._exception is not None:
                return None
            self._take(data[start : start + SLICE])
        return None

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Pass on an answer. Interim ones are only counted: nobody waits for them, as `Expect` cannot be sent."""
        message = data[0]
        if not 100 <= message.code < 200 or message.code == 101:
            return super().feed_data(data, size)
        self._interim += 1
        self._interim_bytes += sum(len(name) + len(value) for name, value in message.raw_headers)
        if self._interim > MOST_INTERIM or self._interim_bytes > LONGEST_INTERIM:
            self._give_up("The server went on sending interim answers (1xx) and no final one.")
        return None

    def _take(self, data: bytes) -> None:
        super().data_received(data)
        self._received += len(data)
        body = self._payload
        if body is not None and self._received > 2 * body.total_bytes + MOST_FRAMING:
            self._give_up("The answer's body came in chunks with next to nothing in them; the rest was not read.")

    def _give_up(self, message: str) -> None:
        error = GarbledError(message)
        if self._payload is not None:
            self._payload.set_exception(error)
        self.set_exception(error)
        if self.transport is not None:
            self.transport.abort()
