"""What goes out, what comes back, and what is said when nothing useful came back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ErrorClass = Literal["dns", "connect", "tls", "timeout", "too_large", "refused", "protocol"]

KEEP_BYTES = 64 * 1024
READ_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to somebody else's server, with its bounds.

    `timeout_s` covers look-up, connecting, redirects and the whole body; waiting for a free slot of the host comes
    before it and lasts as long again at most, and never longer than some seconds. Of the body, after decompression,
    `keep_bytes` are kept (the answer says `truncated`) and `read_bytes` are read: one that goes on is a failure,
    `too_large`. `redirects` are followed; with 0 the 3xx itself is the answer. Header names in `sensitive` (any case)
    never reach another host by a redirect; names that speak of credentials do not either, listed or not.
    """

    method: str
    url: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    timeout_s: float = 30.0
    keep_bytes: int = KEEP_BYTES
    read_bytes: int = READ_BYTES
    redirects: int = 5
    sensitive: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, whatever its status.

    `body` is decompressed and at most `keep_bytes` long; `headers` are as they came, in order, as text that JSON and
    PostgreSQL take (bytes that are not UTF-8 become U+FFFD). `url` is the last one called, after `redirects` of them.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    truncated: bool
    duration_ms: int
    url: str
    redirects: int


class CallFailed(Exception):  # noqa: N818  no bug here: the server's end failed
    """No complete answer came. `message` is a sentence for the person whose call it was.

    `answer` is what had come, if its status had: shown beside the error, never taken for a success.
    """

    def __init__(
        self, error_class: ErrorClass, message: str, *, duration_ms: int = 0, answer: Answer | None = None
    ) -> None:
        super().__init__(f"{error_class}: {message}")
        self.error_class: ErrorClass = error_class
        self.message = message
        self.duration_ms = duration_ms
        self.answer = answer


class HostBusy(CallFailed):
    """The call was not made: its host has so many of ours that it must come again, in `wait_s` seconds."""

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__("timeout", message)
        self.wait_s = wait_s
