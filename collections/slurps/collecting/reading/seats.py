"""Seats for readers whose answers take long: rows that many others must be looked at for, or that are many themselves.

Each holds a thread of the web server; who finds no seat is told to come again, and all others are served meanwhile.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from django.conf import settings
from django.http.response import HttpResponseBase

from badgerjobs.web.problems import TooMany
from badgerjobs.web.seats import Seats
from slurps.collecting.reading.statements import Reader
from slurps.models import Version

# Looking through so many rows takes a moment; an answer of so many bytes has to be waited for.
MANY_ROWS = 100_000
LONG_BYTES = 1_000_000
AGAIN_S = 2

FULL = "Other readers of this application wait for long answers right now: ask for less at once, or try again in {}."

_seats = Seats(settings.WEB_THREADS // 2)


class Seat:
    """One of an application's, for one request: taken when something first holds it, and free when nothing does."""

    def __init__(self, application_id: int) -> None:
        self._application_id = application_id
        self._holds = 0

    def hold(self) -> Callable[[], None]:
        """Hold it. Returns what lets go of it, to be called once. Raises TooMany where none is free."""
        if not self._holds and not _seats.take(self._application_id):
            raise TooMany(FULL, AGAIN_S)
        self._holds += 1
        return self._let_go

    def _let_go(self) -> None:
        self._holds -= 1
        if not self._holds:
            _seats.give_back(self._application_id)


def looks_long(reader: Reader, version: Version) -> bool:
    """Whether the database has much to look at for it."""
    return reader.looks_through and version.rows >= MANY_ROWS


@contextmanager
def in_a_seat(application_id: int, *, is_long: bool) -> Iterator[None]:
    """For a look that is over before its answer is sent. Raises TooMany."""
    with ExitStack() as held:
        if is_long:
            held.callback(Seat(application_id).hold())
        yield


def seated(response: HttpResponseBase, seat: Seat) -> HttpResponseBase:
    """With a seat until its reader has taken it, where it is long; a stream has one already. Raises TooMany."""
    if not response.streaming and len(getattr(response, "content", b"")) >= LONG_BYTES:
        keep(response, seat.hold())
    return response


def keep(response: HttpResponseBase, let_go: Callable[[], None]) -> None:
    """Until its reader has taken it, or is gone."""
    response._resource_closers.append(let_go)  # type: ignore[attr-defined]  # Django's own, of each response
