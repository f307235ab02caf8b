"""The official Repeater client's six documents, as it sends them, against the whole service: jobs that really run."""

import http.client
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.receiver import Answer, Receiver
from tests.e2e.stack import Stack
from tests.graphql import documents

pytestmark = pytest.mark.e2e


@pytest.fixture
def stack(one_of_each: Stack) -> Stack:
    """The same beat and worker for all tests of this file, with nothing to do."""
    return one_of_each


class Client:
    """Does what the client does with a reply, and keeps what it rules out: a wrong type, errors, no data."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def answer(self, document: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """One request with its headers: `variables` are absent where there are none, and there is no operationName."""
        asked = {"query": document} | ({} if variables is None else {"variables": variables})
        headers = {
            "accept": "*/*",
            "authorization": f"Bearer {self._stack.token}",
            "content-type": "application/json",
            "user-agent": "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
        }
        connection = http.client.HTTPConnection("127.0.0.1", self._stack.port, timeout=30)
        try:
            connection.request("POST", "/graphql", json.dumps(asked), headers)
            response = connection.getresponse()
            assert response.status == 200
            assert (response.getheader("Content-Type") or "").startswith("application/json")
            found: dict[str, Any] = json.loads(response.read())
            return found
        finally:
            connection.close()

    def data(self, document: str, variables: dict[str, Any] | None = None) -> Any:
        """What it makes its objects of. Headers must be JSON text, empty or null, or it would throw."""
        answer = self.answer(document, variables)
        assert not answer.get("errors"), answer
        [found] = answer["data"].values()
        for row in found if isinstance(found, list) else [found or {}]:
            json.loads(row.get("headers") or "null")
            for name in ("runAt", "createdAt", "updatedAt"):
                datetime.fromisoformat(row.get(name) or "2026-11-21T22:50:28.412Z")
        return found

    def enqueue(self, **options: Any) -> Any:
        """Its defaults; nulls are dropped, the verb in upper case, `json` a body with its header."""
        given = {"enabled": True, "retryable": True, "runAt": _now(), **_prepared(options)}
        return self.data(documents.CREATE, {name: value for name, value in given.items() if value is not None})

    def enqueue_or_update(self, **options: Any) -> Any:
        """Two requests: the look-up decides."""
        found = self.job(options["name"])
        return self.update(**options) if found else self.enqueue(**options)

    def update(self, **options: Any) -> Any:
        """Nulls are kept, and headers turned to text: null to the text `null`."""
        given = _prepared(options)
        if "headers" in options:
            given["headers"] = json.dumps(options["headers"])
        return self.data(documents.UPDATE, given)

    def job(self, name: str) -> Any:
        return self.data(documents.JOB_BY_NAME, {"name": name})

    def jobs(self) -> Any:
        return self.data(documents.JOBS)

    def results(self, name: str) -> Any:
        return self.data(documents.RESULTS, {"jobName": name})

    def delete(self, name: str) -> Any:
        return self.data(documents.DELETE, {"name": name})


def _prepared(options: dict[str, Any]) -> dict[str, Any]:
    given = dict(options)
    headers = given.pop("headers", None)
    if "json" in given:
        given["body"] = json.dumps(given.pop("json"))
        headers = {**(headers or {}), "Content-Type": "application/json"}
    if headers is not None:
        given["headers"] = json.dumps(headers)
    return given | ({"verb": given["verb"].upper()} if "verb" in given else {})


def _now(later: float = 0) -> str:
    """`2026-11-21T22:50:28.412Z`, as JavaScript writes a date."""
    return (datetime.now(UTC) + timedelta(seconds=later)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture
def client(stack: Stack) -> Client:
    return Client(stack)


def test_a_job_that_the_client_enqueues_is_called_and_its_result_is_read(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    asked_at = _now()
    job = client.enqueue(
        name="first", endpoint=f"{receiver.url}/first", verb="post", json={"foo": "bar"}, headers={"X-A": "b"},
        runAt=asked_at,
    )  # fmt: skip
    assert (job["name"], job["verb"], job["enabled"], job["runAt"]) == ("first", "POST", True, asked_at)
    assert json.loads(job["headers"]) == {"X-A": "b", "Content-Type": "application/json"}

    stack.until(lambda: client.results("first"), "its result")

    [call] = receiver.calls
    assert (call.method, call.path, json.loads(call.body)) == ("POST", "/first", {"foo": "bar"})
    assert (call.headers["x-a"], call.headers["content-type"]) == ("b", "application/json")
    [result] = client.results("first")
    assert (result["status"], result["body"], result["run"]) == (200, "ok", 1)
    assert json.loads(result["headers"])["content-length"] == "2"
    [shown] = client.jobs()
    assert shown == client.job("first")
    assert (shown["nextRunAt"], shown["lastRunAt"] is not None) == (None, True)


def test_an_update_plans_a_job_that_ran_anew_and_run_counts_on(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    client.enqueue(name="again", endpoint=f"{receiver.url}/again", verb="GET", headers={"X-A": "b"}, body="kept")
    stack.until(lambda: client.results("again"), "the first result")

    changed = client.update(name="again", runAt=_now(), verb="put", headers=None)
    assert (changed["verb"], changed["headers"], changed["body"]) == ("PUT", None, "kept")
    stack.until(lambda: len(client.results("again")) == 2, "the second result")

    assert [call.method for call in receiver.calls] == ["GET", "PUT"]
    assert [result["run"] for result in client.results("again")] == [2, 1]


def test_a_job_that_repeats_does_so_until_its_duration_is_cleared(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    client.enqueue(name="often", endpoint=f"{receiver.url}/often", verb="GET", runEvery="PT1S")
    stack.until(lambda: len(receiver.calls) >= 3, "three calls")
    assert client.job("often")["nextRunAt"]

    assert client.update(name="often", runEvery=None)["runEvery"] is None
    stack.until(lambda: not client.job("often")["nextRunAt"], "that nothing is planned")


def test_a_disabled_job_is_not_called_until_it_is_enabled(stack: Stack, receiver: Receiver, client: Client) -> None:
    job = client.enqueue(name="off", endpoint=f"{receiver.url}/off", verb="GET", enabled=False)
    assert job["enabled"] is False
    client.enqueue(name="on", endpoint=f"{receiver.url}/on", verb="GET")
    stack.until(lambda: client.results("on"), "the other's result")
    assert (client.results("off"), client.job("off")["nextRunAt"]) == ([], None)

    client.update(name="off", enabled=True)
    stack.until(lambda: client.results("off"), "its result")


def test_failures_and_calls_that_nobody_answers_count_as_failures(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    receiver.answer = lambda _: Answer(503)
    client.enqueue(name="bad", endpoint=f"{receiver.url}/bad", verb="GET", retryable=False)
    client.enqueue(name="nobody", endpoint="http://127.0.0.1:1/", verb="GET", retryable=False)
    stack.until(lambda: client.results("bad") and client.results("nobody"), "both results")

    assert [result["status"] for result in client.results("bad")] == [503]
    assert [(result["status"], result["body"]) for result in client.results("nobody")] == [(None, None)]
    counted = client.data("{ jobs { name successCount failureCount } }")
    assert {(row["name"], row["successCount"], row["failureCount"]) for row in counted} == {
        ("bad", 0, 1), ("nobody", 0, 1),
    }  # fmt: skip


def test_enqueue_or_update_makes_and_then_changes_and_a_second_create_is_refused(
    stack: Stack, receiver: Receiver, client: Client
) -> None:
    options = {"name": "one", "endpoint": f"{receiver.url}/one", "verb": "get", "runAt": _now(3600)}
    assert client.job("one") is None
    assert client.enqueue_or_update(**options)["verb"] == "GET"
    assert client.enqueue_or_update(**{**options, "verb": "delete"})["verb"] == "DELETE"

    refused = client.answer(documents.CREATE, {**options, "enabled": True, "retryable": True})
    assert refused["data"] is None
    assert [error["message"] for error in refused["errors"]] == [
        "There is a job with the name “one” already: change it with updateJob, or use createOrUpdateJob."
    ]

    assert client.delete("one") == {"name": "one"}
    assert (client.job("one"), client.jobs(), client.results("one")) == (None, [], [])


def test_redirects_are_followed(stack: Stack, receiver: Receiver, client: Client) -> None:
    receiver.answer = lambda call: Answer(302, location="/there") if call.path == "/here" else Answer(200)
    client.enqueue(name="moved", endpoint=f"{receiver.url}/here", verb="GET")
    stack.until(lambda: client.results("moved"), "its result")
    assert [result["status"] for result in client.results("moved")] == [200]
    assert [call.path for call in receiver.calls][:2] == ["/here", "/there"]  # at least once: on a busy machine twice
