"""The answers of readers: pages at once, and what is longer while it is read from the database."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain
from math import ceil
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags

from slurps.collecting.reading.asking import Asked, Format
from slurps.collecting.reading.cursors import Bookmark, query_of, written
from slurps.collecting.reading.formats import FORMATS, TYPES, json_list
from slurps.collecting.reading.pages import Page, all_of, count_of, page_of
from slurps.collecting.reading.seats import Seat
from slurps.collecting.reading.statements import Reader
from slurps.models import Collection, Version

VERSION = "X-Collection-Version"
# Other tokens may not read it, and others like it in another form.
VARY = "Authorization, Accept"


class Streamed:
    """Text that is made while it is sent, within a look at the database that ends with it."""

    def __init__(self, chunks: Iterable[str], look: ExitStack) -> None:
        self._chunks, self._look = iter(chunks), look

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._chunks:
                yield chunk.encode()
        finally:
            self.close()

    def close(self) -> None:
        """Whoever is sent this may be gone before its end."""
        self._look.close()


def unchanged(request: HttpRequest, etag: str) -> bool:
    """Whether the asker has this very answer."""
    given = request.META.get("HTTP_IF_NONE_MATCH")
    if given is None:
        return False
    return given.strip() == "*" or etag in [one.removeprefix("W/") for one in parse_etags(given)]


def etag_of(query: str, form: Format, collection: Collection, version: Version) -> str:
    """A version never changes: it and the query, as it stands in the address, say which answer this is."""
    told = json.dumps([collection.pk, version.pk, form, query])
    return f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'


def dressed(response: HttpResponseBase, version: Version, etag: str) -> HttpResponseBase:
    """With what each answer says of itself."""
    told = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": VARY, VERSION: str(version.number or 0)}
    for name, value in told.items():
        response.headers[name] = value
    return response


def whole(asked: Asked, reader: Reader, version: Version, look: ExitStack, seat: Seat) -> HttpResponseBase:
    """All rows. Those of one batch are sent at once, and their length with them. Raises TooMany."""
    batches = all_of(reader, version)
    first, second = next(batches, []), next(batches, None)
    made = FORMATS[asked.format]
    if second is None:
        return _whole(asked, made([first], reader.header))
    look.callback(seat.hold())
    chunks = made(chain([first, second], batches), reader.header)
    # DRF and Django know how to close what has a `close`.
    return StreamingHttpResponse(Streamed(chunks, look.pop_all()), content_type=TYPES[asked.format])


def paged(
    request: HttpRequest, asked: Asked, reader: Reader, version: Version, mark: Bookmark | None
) -> HttpResponseBase:
    """One page, and how to go on: by a cursor in its frame, and in the header `Link`."""
    assert asked.limit  # noqa: S101
    page = page_of(reader, limit=asked.limit, number=asked.page, mark=mark)
    cursor, before = _cursor(asked, version, page), _cursor_before(asked, version, page)
    texts = [[row.text for row in page.rows]]
    if asked.with_meta:
        told = {**_meta(asked, reader, version), "cursor": cursor, "cursor_before": before}
        response = _whole(asked, json_list(texts, before=json.dumps(told)[:-1] + ', "items": [', after="]}"))
    else:
        response = _whole(asked, FORMATS[asked.format](texts, reader.header))
    if cursor:
        query: Any = request.GET.copy()
        query.pop("$page", None)
        query["$cursor"] = cursor
        response.headers["Link"] = f'<{request.build_absolute_uri(request.path)}?{query.urlencode()}>; rel="next"'
    return response


def _whole(asked: Asked, chunks: Iterable[str]) -> HttpResponse:
    body = "".join(chunks).encode()
    return HttpResponse(body, content_type=TYPES[asked.format], headers={"Content-Length": str(len(body))})


def _cursor(asked: Asked, version: Version, page: Page) -> str | None:
    if not page.has_more:
        return None
    return written(Bookmark(version.collection_id, version.number or 0, query_of(asked), page.rows[-1].place))


def _cursor_before(asked: Asked, version: Version, page: Page) -> str | None:
    if not (page.has_before and page.rows):
        return None
    place = page.rows[0].place
    return written(Bookmark(version.collection_id, version.number or 0, query_of(asked), place, is_back=True))


def _meta(asked: Asked, reader: Reader, version: Version) -> dict[str, Any]:
    """The frame of a page. Who goes by cursors has no number of a page, and nobody counts for them."""
    told: dict[str, Any] = {"limit": asked.limit, "version": version.number}
    if asked.cursor is not None:
        return {"page": None, "next": None, "previous": None, "last": None, "count": None, **told}
    assert asked.limit  # noqa: S101
    count, page = count_of(reader, asked, version), asked.page or 1
    last = max(1, ceil(count / asked.limit))
    following = page + 1 if page < last else None
    previous = min(page - 1, last) if page > 1 else None
    return {"page": page, "next": following, "previous": previous, "last": last, "count": count, **told}
