"""TLS for what is not HTTP: whom to trust, and what to say when it fails."""

import ssl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import certifi

from badgerjobs.outbound.failures import CERTIFICATE_FAULTS

# To read the usual authorities takes more than ten milliseconds, and drivers do it on the event loop.
MOST_CONTEXTS = 64


def context_of(connection: Mapping[str, Any], *, verify: bool = True) -> ssl.SSLContext:
    """Trusts the connection's own certificates, or else the usual authorities. Shared: not to be changed."""
    return _context(connection["certificates"], verify=verify)


@lru_cache(MOST_CONTEXTS)
def _context(own: str, *, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=own) if own else ssl.create_default_context(cafile=certifi.where())
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def certificates_file(connection: Mapping[str, Any]) -> Iterator[str]:
    """A file with the same, for drivers that want one."""
    if not connection["certificates"]:
        yield certifi.where()
        return
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(connection["certificates"])
        file.flush()
        yield file.name


def fault_in(error: BaseException | None) -> ssl.SSLError | None:
    """What was wrong with TLS, where that is behind what a driver raised."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def sentence(error: ssl.SSLError, host: str) -> str:
    """What is wrong, for people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of {host} {CERTIFICATE_FAULTS.get(error.verify_code, 'is not trusted')}."
    if error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_EOF_WHILE_READING"}:
        return f"{host} does not speak TLS on this port."
    return f"No secure connection to {host} could be agreed on (TLS)."
