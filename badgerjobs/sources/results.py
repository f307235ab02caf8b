"""What comes of fetching a source once."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Fetched:
    """A value: `body` is compact JSON that PostgreSQL can keep, of so many `bytes`; `etag` is their SHA-256, in hex."""

    body: str
    bytes: int
    etag: str
    status: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Unfetched:
    """None came: one word for machines, one sentence for people without any secret. `retry`: another try may help.

    `status` is that of the source's answer, if there was one: a token server's is in the sentence alone. `retry_after`
    is how long the source wants to be left alone.
    """

    error_class: str
    error: str
    status: int | None = None
    retry: bool = True
    retry_after: timedelta | None = None
    duration_ms: int = 0


class NoValueError(Exception):
    """A step on the way to a value failed: what that means for the whole is `unfetched`."""

    def __init__(self, unfetched: Unfetched) -> None:
        super().__init__(unfetched.error)
        self.unfetched = unfetched
