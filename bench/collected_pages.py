"""How fast pages of a collection are read by REST, one after another: of all rows, and of those that a field finds."""

import json
import math
import time
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from urllib.parse import urlencode

from django.utils import timezone

from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.issuing import issue_token
from badgerjobs.workspaces.models import Application, Scope
from bench.stack import serving

LIMIT = 100
# Of each sort.
PAGES = 500


def read(application: Application, name: str, *, field: str, values: Sequence[int]) -> dict[str, float]:
    """Milliseconds for a page, from the first byte of the request to the last of the answer, by one that asks alone."""
    _, secret = issue_token(
        application=application, label="pages", by=OPERATOR, now=timezone.now(), scopes=[Scope.COLLECTIONS_READ]
    )
    with serving() as port:
        line = HTTPConnection("127.0.0.1", port, timeout=60)
        line.request("GET", "/healthz")  # until its connection to the database is there
        line.getresponse().read()
        ask = _Asking(line, f"/api/v1/collections/{name}/", {"Authorization": f"Bearer {secret}"})
        took = {"page": [*ask.walk({}, PAGES)], "filtered": []}
        for value in values[: PAGES // 5]:
            took["filtered"] += ask.walk({field: str(value)}, 5)
        line.close()
    return {
        f"{sort}_{word}_ms": round(sorted(all_of)[math.ceil(share * len(all_of)) - 1], 2)
        for sort, all_of in took.items()
        for word, share in (("p50", 0.5), ("p99", 0.99))
    }


class _Asking:
    """One reader on one connection."""

    def __init__(self, line: HTTPConnection, path: str, headers: dict[str, str]) -> None:
        self._line, self._path, self._headers = line, path, headers

    def walk(self, asked: dict[str, str], pages: int) -> Iterator[float]:
        """Through so many pages, if there are: what each took. Raises RuntimeError for one that is not full."""
        cursor = ""
        for _ in range(pages):
            began = time.perf_counter()
            body = self._get(
                {**asked, "$limit": LIMIT, "$with_meta": "true", **({"$cursor": cursor} if cursor else {})}
            )
            yield 1000 * (time.perf_counter() - began)
            found = json.loads(body)
            cursor = found["cursor"]
            if not cursor:
                return
            if len(found["items"]) != LIMIT:
                raise RuntimeError(f"A page of {asked} has {len(found['items'])} rows, and there are more.")

    def _get(self, asked: dict[str, object]) -> bytes:
        self._line.request("GET", f"{self._path}?{urlencode(asked)}", headers=self._headers)
        answer = self._line.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {body[:500]!r}")
        return body
