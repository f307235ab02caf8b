"""Asking for the rows of a collection over a connection that is kept, as a reader does who comes often."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any, Self
from urllib.parse import urlencode

from tests.e2e.stack import Stack


class AmissError(AssertionError):
    """An answer that no reader may get."""


def ensure(is_so: object, *said: object) -> None:
    """Raises AmissError."""
    if not is_so:
        raise AmissError(*said)


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer, and the version that its header names: 0 before the first."""

    status: int
    version: int
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


class Asker:
    """Asks for one collection, in one thread. Use it as a context, any number of times."""

    def __init__(self, stack: Stack, name: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", stack.port, timeout=30)
        self._path = f"/api/v1/collections/{name}/"
        self._headers = {"Authorization": f"Bearer {stack.token}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def __call__(self, **query: object) -> Seen:
        """The names are those with a dollar sign."""
        asked = f"?{urlencode({f'${name}': value for name, value in query.items()})}" if query else ""
        self._connection.request("GET", self._path + asked, headers=self._headers)
        response = self._connection.getresponse()
        return Seen(response.status, int(response.headers.get("X-Collection-Version", "-1")), response.read())
