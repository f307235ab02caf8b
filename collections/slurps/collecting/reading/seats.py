"""Seats for readers whose answers take long: rows that many others must be looked at for, or that are many themselves.

Each holds a thread of the web server; who finds no seat is told to come again, and all others are served meanwhile.
"""

from django.conf import settings
from django.http.response import HttpResponseBase
from rest_framework.exceptions import Throttled

from badgerjobs.web.seats import Seats
from slurps.collecting.reading.statements import Reader
from slurps.models import Version

# Looking through so many rows takes a moment; an answer of so many bytes has to be waited for.
MANY_ROWS = 100_000
LONG_BYTES = 1_000_000
AGAIN_S = 2

FULL = "Other readers of this application wait for long answers right now: ask for less at once, or try again soon."

_seats = Seats(settings.WEB_THREADS // 2)


class Seat:
    """One of an application's. Raises Throttled where none is free."""

    def __init__(self, application_id: int) -> None:
        self._application_id = application_id
        if not _seats.take(application_id):
            raise Throttled(wait=AGAIN_S, detail=FULL)

    def give_back(self) -> None:
        """Once."""
        _seats.give_back(self._application_id)


def looks_long(reader: Reader, version: Version) -> bool:
    """Whether the database has much to look at for it."""
    return reader.looks_through and version.rows >= MANY_ROWS


def seated(response: HttpResponseBase, application_id: int) -> HttpResponseBase:
    """With a seat until its reader has taken it, where it is long; a stream has one already. Raises Throttled."""
    if not response.streaming and len(getattr(response, "content", b"")) >= LONG_BYTES:
        keep(response, Seat(application_id))
    return response


def keep(response: HttpResponseBase, seat: Seat) -> None:
    """Until its reader has taken it, or is gone."""
    response._resource_closers.append(seat.give_back)  # type: ignore[attr-defined]  # Django's own, of each response
