"""Servers that stand in for other people's, and the real PostgreSQL and Valkey of these tests behind a TCP port."""

import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from badgerjobs.embedded.layout import Layout
from tests.stand_ins import Door, MailServer


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """An authority that nobody knows."""
    return trustme.CA()


@pytest.fixture(scope="session")
def pem(authority: trustme.CA) -> str:
    """Its certificate, as a connection takes it."""
    return authority.cert_pem.bytes().decode()


@pytest.fixture(scope="session")
def context(authority: trustme.CA) -> ssl.SSLContext:
    """For a server that calls itself `server.example.com`."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("server.example.com").configure_cert(made)
    return made


@pytest.fixture
def mails() -> Iterator[MailServer]:
    """A mail server without TLS."""
    with MailServer() as server:
        yield server


def _layout() -> Layout:
    if os.environ.get("DATABASE_URL"):
        pytest.skip("the tests' own servers are needed, and DATABASE_URL names others")
    return Layout(Path(os.environ["BADGERJOBS_DATA_DIR"]))


@pytest.fixture
def postgres() -> Iterator[Door]:
    """The tests' PostgreSQL by TCP, without TLS."""
    with Door(str(_layout().socket_dir / ".s.PGSQL.5432")) as door:
        yield door


@pytest.fixture
def secure_postgres(context: ssl.SSLContext) -> Iterator[Door]:
    """The tests' PostgreSQL by TLS."""
    with Door(str(_layout().socket_dir / ".s.PGSQL.5432"), context, is_asked=True) as door:
        yield door


@pytest.fixture
def valkey() -> Iterator[Door]:
    """The tests' Valkey by TCP, without TLS."""
    with Door(str(_layout().valkey_socket)) as door:
        yield door


@pytest.fixture
def secure_valkey(context: ssl.SSLContext) -> Iterator[Door]:
    """The tests' Valkey by TLS."""
    with Door(str(_layout().valkey_socket), context) as door:
        yield door
