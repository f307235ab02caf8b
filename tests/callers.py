"""A client of the REST API as tests see one: a token, a request, and what came back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from badgerjobs.workspaces.models import Application
from tests.factories import make_application, make_token

API = "/api/v1"
PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Answer:
    """`body` is parsed where it is JSON, and bytes where it is not."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0]

    @property
    def errors(self) -> dict[str, list[str]]:
        """What is wrong with each field; empty where no field is at fault."""
        found: dict[str, list[str]] = self.body.get("errors", {})
        return found


@dataclass
class Caller:
    """Somebody with a token, or nobody. Paths begin below /api/v1 unless they are whole."""

    secret: str = ""
    owner: Application | None = None
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    @property
    def application(self) -> Application:
        """The application whose token it is."""
        assert self.owner
        return self.owner

    def send(self, method: str, path: str, body: bytes, **headers: str) -> Answer:
        """One request as it stands; header names with underscores for hyphens."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.secret:
            given = {"Authorization": f"Bearer {self.secret}", **given}
        content_type = given.pop("Content-Type", "application/json")
        where = path if path.startswith((API, "http:")) else f"{API}{path}"
        response = self.client.generic(method, where, body, content_type, headers=given)
        content = b"".join(response) if response.streaming else response.content
        is_json = content and "json" in response.headers.get("Content-Type", "")
        return Answer(response.status_code, json.loads(content) if is_json else content, dict(response.headers))

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, b"", **headers)

    def post(self, path: str, data: Any = None, **headers: str) -> Answer:
        return self.send("POST", path, _json(data), **headers)

    def patch(self, path: str, data: Any = None, **headers: str) -> Answer:
        return self.send("PATCH", path, _json(data), **headers)

    def put(self, path: str, data: Any = None, **headers: str) -> Answer:
        return self.send("PUT", path, _json(data), **headers)

    def delete(self, path: str, **headers: str) -> Answer:
        return self.send("DELETE", path, b"", **headers)

    def walk(self, path: str) -> list[Any]:
        """The rows of all pages, by following `next`."""
        rows, where = [], path
        while where:
            page = self.get(where.removeprefix("http://testserver")).body
            rows += page["results"]
            where = page["next"]
        return rows


def _json(data: Any) -> bytes:
    return b"" if data is None else json.dumps(data).encode()


def caller_for(application: Application, **token: Any) -> Caller:
    """Somebody with a new token of this application; every scope, unless told otherwise."""
    return Caller(make_token(application, **token), application)


def make_caller(workspace: str = "Alice's", **token: Any) -> Caller:
    """Somebody with a token of an application of their own."""
    return caller_for(make_application(workspace), **token)
