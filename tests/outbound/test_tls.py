import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from badgerjobs.outbound.addresses import Policy
from badgerjobs.outbound.client import Answer, Call, CallFailed, Client
from tests.outbound.hostile import OK, serving

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def call_over_tls(tls: ssl.SSLContext, *, ca_file: str | None = None, host: str = "127.0.0.1") -> Answer:
    async def conversation() -> Answer:
        async def look_up(_host: str, _port: int) -> list[str]:
            return ["127.0.0.1"]

        client = Client(Policy(["127.0.0.1"]), ca_file=ca_file, look_up=look_up)
        async with serving(OK, tls=tls) as server, client:
            return await client.send(Call("GET", f"https://{host}:{server.port}/", timeout_s=10))

    return asyncio.run(conversation())


def fault(*args: object, **options: object) -> str:
    with pytest.raises(CallFailed) as caught:
        call_over_tls(*args, **options)  # type: ignore[arg-type]
    assert caught.value.error_class == "tls", caught.value
    return caught.value.message


def test_a_server_with_a_good_certificate_is_called(authority: trustme.CA, ca_file: str) -> None:
    tls = context_of(authority.issue_cert("127.0.0.1", "api.example.test"))
    assert call_over_tls(tls, ca_file=ca_file).body == b"ok"
    assert call_over_tls(tls, ca_file=ca_file, host="api.example.test").body == b"ok"


def test_the_authorities_to_trust_are_taken_from_the_environment(
    authority: trustme.CA, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    assert call_over_tls(context_of(authority.issue_cert("127.0.0.1"))).body == b"ok"


def test_an_unknown_authority_is_named_as_the_reason(authority: trustme.CA) -> None:
    message = fault(context_of(authority.issue_cert("127.0.0.1")))
    assert message == "The certificate of 127.0.0.1 is signed by an authority that is not known."


def test_an_expired_certificate_is_named_as_the_reason(authority: trustme.CA, ca_file: str) -> None:
    certificate = authority.issue_cert("127.0.0.1", not_before=LONG_AGO, not_after=LONG_AGO.replace(year=2002))
    assert fault(context_of(certificate), ca_file=ca_file) == "The certificate of 127.0.0.1 has expired."


@pytest.mark.parametrize("host", ["127.0.0.1", "other.example.test"])
def test_a_certificate_of_another_host_is_named_as_the_reason(authority: trustme.CA, ca_file: str, host: str) -> None:
    tls = context_of(authority.issue_cert("api.example.test"))
    assert f"The certificate of {host} belongs to another" in fault(tls, ca_file=ca_file, host=host)


def test_a_self_signed_certificate_is_named_as_the_reason(tmp_path: Path) -> None:
    alone = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    alone.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    alone.cert_pem.write_to_path(str(tmp_path / "cert.pem"))
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    assert "is signed by itself" in fault(tls)


async def meet(conversation: Callable[[asyncio.StreamWriter], None]) -> CallFailed:
    """Call over TLS a server that answers whatever comes first in its own way."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        conversation(writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Client(Policy(["127.0.0.1"])) as client:
        with pytest.raises(CallFailed) as caught:
            await client.send(Call("GET", f"https://127.0.0.1:{port}/", timeout_s=10))
    return caught.value


def test_a_server_without_tls_is_said_to_have_none() -> None:
    failed = asyncio.run(meet(lambda writer: writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")))
    assert failed.error_class == "tls"
    assert "does not speak TLS" in failed.message


def test_a_server_that_closes_during_the_handshake_is_told_apart() -> None:
    failed = asyncio.run(meet(lambda writer: writer.transport.abort()))
    assert failed.error_class == "tls"
    assert "closed the connection while a secure one was being agreed on" in failed.message


def test_ciphers_that_nobody_should_use_are_not_agreed_on(authority: trustme.CA, ca_file: str) -> None:
    tls = context_of(authority.issue_cert("127.0.0.1"))
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.set_ciphers("ECDHE-ECDSA-AES128-SHA")
    assert "agreed on (TLS)" in fault(tls, ca_file=ca_file)
