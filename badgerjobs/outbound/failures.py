"""What went wrong, as a class that programs compare and a sentence that people read.

Classified by cause, never by the outermost exception: one exception of the client stands for a failed look-up, a
refused connection and the guard's own refusal.
"""

import errno
import socket
from collections.abc import Iterator
from ssl import SSLCertVerificationError, SSLError

from aiohttp import ClientConnectorDNSError, ClientConnectorError, ClientError, ClientPayloadError, ClientResponseError
from aiohttp.http_exceptions import LineTooLong

from badgerjobs.outbound.addresses import Refused
from badgerjobs.outbound.calls import ErrorClass
from badgerjobs.outbound.guard import Hop
from badgerjobs.outbound.names import CrowdedError
from badgerjobs.outbound.reading import GarbledError, TooLargeError
from badgerjobs.outbound.targets import Target, UnsendableError

# OpenSSL's numbers of what is wrong with a certificate (X509_V_ERR_*).
CERTIFICATE_FAULTS = {
    9: "is not valid yet",
    10: "has expired",
    18: "is signed by itself and not by a known authority",
    19: "is signed by an authority that is not known",
    20: "is signed by an authority that is not known",
    21: "is signed by an authority that is not known",
    23: "has been revoked",
    62: "belongs to another host name",
    64: "belongs to another address",
}
OUT_OF_SOCKETS = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
# What says in its own words what happened.
OURS: dict[type[Exception], ErrorClass] = {
    Refused: "refused",
    UnsendableError: "refused",
    TooLargeError: "too_large",
    GarbledError: "protocol",
}
# What a call may fail with through no fault of this program. Anything else is a bug and stays an exception.
EXPECTED = (ClientError, OSError, TooLargeError, GarbledError, UnsendableError)


def explained(error: BaseException, target: Target, hop: Hop) -> tuple[ErrorClass, str]:
    """Find the class and the sentence for one of `EXPECTED` while `target` was being called."""
    if hop.refusal and not hop.opened:
        return "refused", str(hop.refusal)
    for kind, error_class in OURS.items():
        if isinstance(error, kind):
            return error_class, str(error)
    match error:
        case ClientConnectorDNSError():
            return "dns", _look_up(error.os_error, target)
        case SSLError():
            return "tls", _tls(error, target)
        case ClientConnectorError():
            return _connecting(error.os_error, target)
    return _answering(error, target)


def _look_up(error: OSError, target: Target) -> str:
    if isinstance(error, CrowdedError):
        return f"The name {target.host} could not be looked up just now: too many look-ups are under way (DNS)."
    if error.errno == socket.EAI_AGAIN:
        return f"The name {target.host} could not be looked up just now: no name server answered (DNS)."
    return f"The name {target.host} could not be found (DNS)."


def _tls(error: SSLError, target: Target) -> str:
    if isinstance(error, SSLCertVerificationError):
        # aiohttp's exception is of this type too, but only Python's own, behind it, has the number.
        code = next((cause.verify_code for cause in _causes(error) if hasattr(cause, "verify_code")), 0)
        return f"The certificate of {target.host} {CERTIFICATE_FAULTS.get(code, 'is not trusted')}."
    if any(getattr(cause, "reason", "") in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST"} for cause in _causes(error)):
        return f"{_where(target)} does not speak TLS: is it http:// and not https://?"
    return f"No secure connection to {_where(target)} could be agreed on (TLS)."


def _connecting(error: OSError, target: Target) -> tuple[ErrorClass, str]:
    if isinstance(error, ConnectionRefusedError):
        return "connect", f"{target.host} refused the connection: nothing listens on port {target.port}."
    if error.errno == errno.ETIMEDOUT:
        return "timeout", f"{_where(target)} did not answer when it was connected to."
    if error.errno in OUT_OF_SOCKETS:
        return "connect", "This service has no sockets left; the call was not made."
    if target.scheme == "https" and any(isinstance(cause, ConnectionResetError) for cause in _causes(error)):
        return "tls", f"{_where(target)} closed the connection while a secure one was being agreed on (TLS)."
    return "connect", f"{_where(target)} could not be reached."


def _answering(error: BaseException, target: Target) -> tuple[ErrorClass, str]:
    causes = list(_causes(error))
    if any(isinstance(cause, LineTooLong) or "Too many" in str(cause) for cause in causes):
        return "too_large", f"{target.host} answered with too many or too long headers."
    if any(isinstance(cause, SSLError) for cause in causes):
        return "tls", f"The secure connection to {_where(target)} broke (TLS)."
    if isinstance(error, ClientResponseError):
        return "protocol", f"What {_where(target)} answered is not HTTP."
    if isinstance(error, ClientPayloadError):
        return "protocol", f"{target.host} broke off in the middle of its answer, or garbled it."
    return "protocol", f"{target.host} closed the connection without an answer."


def _where(target: Target) -> str:
    return f"{target.host}:{target.port}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Walk from an exception to everything behind it, as Python and as aiohttp chain them."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        inner = getattr(error, "os_error", None) or getattr(error, "certificate_error", None)
        error = error.__cause__ or inner or error.__context__
