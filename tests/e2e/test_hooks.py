"""Hooks of a real web server: what is sent byte by byte, and ten thousand calls while web and workers are killed."""

import http.client
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e

TABLES = "webhooks_hook, webhooks_delivery, webhooks_act, webhooks_seen"
# Of fifty, one is a dead letter and one is filtered; the others go to a hook without a transform: sandboxes would be
# what all of this waits for.
TRANSFORM = "if (body.n % 50 === 0) { throw new Error('bad one') } return {filtered: `${body.n}`}"
BAD = "The transform failed: Error: bad one (line 1, column 32)"
CALLS, CALLERS = 10_000, 16
# So many are accepted when something is killed.
KILLED_AT = {2_000: "web", 4_000: "worker-1", 6_000: "web", 8_000: "worker-2"}


@pytest.fixture(autouse=True)
def _emptied(stack: Stack) -> Iterator[None]:
    yield
    stack.sql(f"TRUNCATE {TABLES} CASCADE".encode())


def hook(stack: Stack, tag: str = "a-hook", **fields: Any) -> str:
    """The path of a new hook."""
    reply = stack.request("POST", "hooks/", {"tag": tag, **fields})
    assert reply.status == 201, reply
    return urlsplit(str(reply.data["url"])).path


def spoken(stack: Stack, *parts: bytes, ends: bool = False) -> bytes:
    """What the server says to these bytes, until it closes the connection; or to one that `ends` in the middle."""
    with socket.create_connection(("127.0.0.1", stack.port), timeout=20) as line:
        for part in parts:
            line.sendall(part)
        if ends:
            line.shutdown(socket.SHUT_WR)
        said = b""
        while came := line.recv(65_536):
            said += came
        return said


def head(path: str, *more: str, method: str = "POST") -> bytes:
    lines = (f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *more)
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1")


def bodies(stack: Stack) -> list[bytes]:
    return [bytes(body) for (body,) in stack.sql("SELECT body FROM webhooks_delivery ORDER BY id")]


def test_a_body_in_chunks_is_stored_whole(stack: Stack) -> None:
    path = hook(stack)
    said = spoken(stack, head(path, "Transfer-Encoding: chunked"), b'5\r\n{"a":\r\n', b"3\r\n 1}\r\n", b"0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 202")
    assert bodies(stack) == [b'{"a": 1}']


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([b"186A1\r\n", b"x" * 100_001, b"\r\n0\r\n\r\n"], b"413"),
        ([b"5\r\nabc"], b"400"),
        ([b"no size\r\n"], b"400"),
        ([b"5\r\nabcde\r\n"], b"400"),
    ],
    ids=["too long", "ends within a chunk", "no chunk", "without an end"],
)
def test_chunks_that_are_none_or_too_many_are_refused(stack: Stack, parts: list[bytes], status: bytes) -> None:
    path = hook(stack, max_bytes=100_000)
    said = spoken(stack, head(path, "Transfer-Encoding: chunked"), *parts, ends=True)
    assert said.split(b" ", 2)[1] == status
    assert bodies(stack) == []


def test_who_goes_away_before_the_end_leaves_nothing(stack: Stack) -> None:
    path = hook(stack)
    said = spoken(stack, head(path, "Content-Length: 100"), b"{", ends=True)
    assert said.startswith(b"HTTP/1.1 400")
    assert bodies(stack) == []


def test_a_body_of_five_megabytes_is_stored_and_one_byte_more_is_not(stack: Stack) -> None:
    path = hook(stack, max_bytes=5_000_000)
    for length, status in ((5_000_000, b"202"), (5_000_001, b"413")):
        said = spoken(stack, head(path, f"Content-Length: {length}"), b"x" * length)
        assert said.split(b" ", 2)[1] == status
    assert stack.sql("SELECT bytes, packed FROM webhooks_delivery") == [(5_000_000, True)]


def test_odd_headers_and_queries_are_stored_or_refused_and_never_a_fault(stack: Stack) -> None:
    path = hook(stack)
    odd = {
        head(f"{path}?a=%00&b=%ED%A0%80&c=%ff", "X-A: \xff\xfe"): b"202",
        head(f"{path}?a=\xff"): b"400",
        head(path, "X-A: a\0b"): b"400",
        head(f"{path}?a=\0"): b"400",
        head(path, "Content-Length: many"): b"400",
        head(f"{path}%00"): b"404",
        head(f"{path}/../../healthz"): b"404",
        head("/hooks/"): b"404",
        head(path, method="DELETE"): b"405",
        head("/hooks/unknown", method="HEAD"): b"404",
    }
    answered = {what: spoken(stack, what).split(b" ", 2)[1] for what in odd}
    assert answered == odd
    assert path.rpartition("/")[2] not in stack.said()


@pytest.mark.parametrize("spelled", ["/hooks/", "/%68ooks/", "/hooks%2F"])
def test_a_line_that_is_no_request_leaves_the_address_in_no_page_and_no_log(stack: Stack, spelled: str) -> None:
    secret = hook(stack).rpartition("/")[2]
    said = spoken(stack, f"POST {spelled}{secret}\r\n\r\n".encode())
    assert said.startswith(b"HTTP/1.1 400")
    assert secret.encode() not in said
    assert secret not in stack.said()
    assert "/hooks/…" in stack.said()


def test_a_connection_is_kept_and_the_next_call_is_read_where_the_last_one_ended(stack: Stack) -> None:
    line = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=20)
    path = hook(stack, max_bytes=1000)
    answers = []
    for raw in (b"1", b"x" * 1001, b"2"):
        line.request("POST", path, raw)
        response = line.getresponse()
        answers.append((response.status, bool(response.read())))
    line.close()
    assert answers == [(202, True), (413, True), (202, True)]
    assert bodies(stack) == [b"1", b"2"]


class Callers:
    """As fast as they can, each over a connection that it opens again when it breaks, until enough are accepted."""

    def __init__(self, port: int, transforming: str, plain: str) -> None:
        self.port, self.paths = port, [*[transforming] * 2, *[plain] * 48]
        self.accepted: list[str] = []
        self.refused: Counter[int] = Counter()
        self._lock = threading.Condition()

    def call(self, number: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        while len(self.accepted) < CALLS:
            number += CALLERS
            try:
                line.request("POST", self.paths[number % 50], json.dumps({"n": number, "text": "x" * 1000}))
                response = line.getresponse()
                answer = response.read()
            except (OSError, http.client.HTTPException):
                line.close()  # whether it was stored, nobody knows: it was not answered
                continue
            with self._lock:
                if response.status == 202:
                    self.accepted.append(json.loads(answer)["id"])
                else:
                    self.refused[response.status] += 1
                self._lock.notify_all()
        line.close()

    def wait_for(self, count: int) -> None:
        with self._lock:
            assert self._lock.wait_for(lambda: len(self.accepted) >= count, timeout=120), self.refused


def test_of_ten_thousand_calls_none_is_lost_while_web_and_workers_are_killed(stack: Stack) -> None:
    stack.create_job("off", verb="POST", enabled=False)  # what is to run it has nothing to do
    plain = hook(stack, "plain", actions=[{"name": "off", "type": "job", "job": "off"}])
    callers = Callers(stack.port, hook(stack, transform=TRANSFORM), plain)
    stack.start("beat-1", "worker-1")
    with ThreadPoolExecutor(CALLERS) as pool:
        working = [pool.submit(callers.call, number) for number in range(CALLERS)]
        for count, name in KILLED_AT.items():
            callers.wait_for(count)
            kill = stack.kill if name == "web" else stack.kill_worker
            kill(name)
            stack.start("web" if name == "web" else f"worker-{int(name[-1]) + 1}")
        for one in working:
            one.result()
    stack.until(lambda: not unfinished(stack), "all are worked on", seconds=300)
    rows = stack.sql(
        "SELECT d.id::text, d.standing, d.body, r.state, r.error, r.id = d.id"
        " FROM webhooks_delivery d LEFT JOIN runs_run r ON r.id = d.run_id"
    )
    [(runs,)] = stack.sql("SELECT count(*) FROM runs_run")
    assert len(callers.accepted) >= CALLS
    assert set(callers.refused) <= {429, 503}, callers.refused
    assert set(callers.accepted) - {row[0] for row in rows} == set()
    assert len(set(callers.accepted)) == len(callers.accepted)
    assert runs == len(rows)
    assert {(standing, is_its_own) for _, standing, _, _, _, is_its_own in rows} == {("accepted", True)}
    ended = Counter((json.loads(bytes(body))["n"] % 50 == 0, state, error) for _, _, body, state, error, _ in rows)
    assert set(ended) == {(False, "succeeded", ""), (True, "failed", BAD)}, ended


def unfinished(stack: Stack) -> bool:
    [(count,)] = stack.sql("SELECT count(*) FROM runs_run WHERE state NOT IN ('succeeded', 'failed', 'aborted')")
    return bool(count)
