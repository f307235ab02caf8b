"""What is kept of a call's headers, query and address."""

from socket import socket, socketpair
from typing import Any

import pytest
from django.test import RequestFactory

from badgerjobs.lib.vault import MASK
from badgerjobs.web.late_bodies import Arriving
from badgerjobs.web.lengths import length_of
from webhooks.receiving import calls
from webhooks.receiving.calls import BadCallError, Call, kept_headers, kept_query, read

SECRET = "the-hooks-own-secret"
# Longer than anything here takes, in seconds.
PATIENCE_S = 30


def call(headers: dict[str, str], query: str = "") -> Call:
    return Call("POST", query, headers, b"", None)


def test_headers_are_kept_as_they_came_and_credentials_as_stars() -> None:
    given = {
        "x-topic": "products/update", "authorization": "Bearer s", "cookie": "s=1", "x-gitlab-token": "s",
        "content-type": "application/json", "x-hub-signature-256": "sha256=1", "idempotency-key": "7",
    }  # fmt: skip
    assert kept_headers(call(given), SECRET, {"x-hub-signature-256"}) == {
        "X-Topic": "products/update", "Authorization": MASK, "Cookie": MASK, "X-Gitlab-Token": MASK,
        "Content-Type": "application/json", "X-Hub-Signature-256": "sha256=1", "Idempotency-Key": "7",
    }  # fmt: skip
    assert kept_headers(call(given), SECRET)["X-Hub-Signature-256"] == MASK
    assert kept_headers(call(given), SECRET, (), {"x-topic"})["X-Topic"] == MASK


def test_long_headers_are_kept_in_part() -> None:
    given = {"a": "1", "b": "x" * 10_000, "c": "x" * 10_000, "d": "1"}
    assert list(kept_headers(call(given), SECRET)) == ["A", "B"]


def test_the_hooks_own_address_is_not_kept_where_a_proxy_or_a_provider_repeats_it() -> None:
    repeated = call({"x-original-uri": f"/hooks/{SECRET}?a=1"}, f"to=/hooks/{SECRET}&a=1")
    assert kept_headers(repeated, SECRET, {"x-original-uri"}) == {"X-Original-Uri": f"/hooks/{MASK}?a=1"}
    assert kept_query(repeated, SECRET) == f"to=/hooks/{MASK}&a=1"


def test_a_long_query_is_kept_in_part() -> None:
    assert len(kept_query(call({}, "x" * 9000), SECRET)) == 8000
    assert SECRET[:2] not in kept_query(call({}, "x" * 7990 + SECRET), SECRET)


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("unknown", None),
        ("", None),
        ("x" * 300, None),
    ],
    ids=["IPv4", "with a port", "IPv6", "IPv6 with a port", "IPv4 in IPv6", "with a zone", "a word", "none", "long"],
)
def test_the_address_is_that_of_whoever_called(said: str, address: str | None) -> None:
    request = RequestFactory().post("/hooks/x", b"", content_type="text/plain", REMOTE_ADDR=said)
    assert read(request, most=1).address == address


def test_behind_a_proxy_it_is_the_one_that_the_proxy_passes_on(settings: Any) -> None:
    request = RequestFactory().post("/hooks/x", b"", content_type="x/y", HTTP_X_FORWARDED_FOR="10.0.0.1, 203.0.113.7")
    assert read(request, most=1).address == "127.0.0.1"
    settings.BEHIND_PROXY = True
    assert read(request, most=1).address == "203.0.113.7"


def test_a_length_of_more_digits_than_can_be_counted_is_too_long() -> None:
    request = RequestFactory().post("/hooks/x", b"", content_type="text/plain", CONTENT_LENGTH="9" * 5000)
    with pytest.raises(BadCallError) as refused:
        read(request, most=4)
    assert refused.value.status == 413


class _Chunks:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def read(self, size: int) -> bytes:
        return self.raw[:size]


def test_chunks_are_read_where_the_server_knows_their_end() -> None:
    given: dict[str, Any] = {"HTTP_TRANSFER_ENCODING": "Chunked", "wsgi.input_terminated": True}
    request = RequestFactory().post("/hooks/x", b"", content_type="x/y", **given)
    request.META["wsgi.input"] = _Chunks(b"1234")
    assert (length_of(request), read(request, most=4).raw) == (None, b"1234")


class _Stalled:
    """What a server reads from a connection on which nothing comes any more."""

    def __init__(self, connection: socket) -> None:
        self.connection, self.failed, self.reads = connection, False, 0

    def read(self, size: int) -> bytes:
        self.reads += 1
        return self.connection.recv(size)


@pytest.mark.parametrize(("said", "reads"), [("6", 1), ("9" * 20, 0)], ids=["a little", "more than would be read"])
def test_what_says_that_it_is_too_long_is_answered_though_it_never_comes(
    monkeypatch: pytest.MonkeyPatch, said: str, reads: int
) -> None:
    monkeypatch.setattr(calls, "UNHEARD_S", 0.0)
    ours, theirs = socketpair()
    with ours, theirs:
        ours.settimeout(PATIENCE_S)
        body = _Stalled(ours)
        request = RequestFactory().post("/hooks/x", b"", content_type="text/plain", CONTENT_LENGTH=said)
        request.META["wsgi.input"] = Arriving(body, ours)
        with pytest.raises(BadCallError) as refused:
            read(request, most=5)
        assert (refused.value.status, body.reads, body.failed) == (413, reads, True)
