"""Contexts of TLS: made once for what they trust, since that takes long and may be on the event loop."""

import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from badgerjobs.servers import tls


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What each context was made of."""
    given: list[Any] = []
    make = ssl.create_default_context

    def counted(**trusted: Any) -> ssl.SSLContext:
        given.append(trusted)
        return make(**trusted)

    tls._context.cache_clear()
    monkeypatch.setattr(ssl, "create_default_context", counted)
    yield given
    tls._context.cache_clear()


def test_one_is_made_for_the_same_certificates_and_another_for_others(made: list[Any], pem: str) -> None:
    for _ in range(3):
        usual, own = tls.context_of({"certificates": ""}), tls.context_of({"certificates": pem})
        unverified = tls.context_of({"certificates": ""}, verify=False)
    assert len(made) == len({usual, own, unverified}) == 3
    modes = [one.verify_mode for one in (usual, own, unverified)]
    assert modes == [ssl.CERT_REQUIRED, ssl.CERT_REQUIRED, ssl.CERT_NONE]


def test_only_so_many_are_kept(made: list[Any], pem: str) -> None:
    for number in range(tls.MOST_CONTEXTS + 5):
        tls.context_of({"certificates": pem + "\n" * number})
    assert tls._context.cache_info().currsize == tls.MOST_CONTEXTS
