"""One mail by an application's own mail server."""

import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import getaddresses
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_email
from rest_framework import serializers

from badgerjobs.lib.said import quoted
from badgerjobs.outbound.relay import LOOPBACK, Line
from badgerjobs.outbound.targets import target_of
from badgerjobs.runs.outcomes import Done, Failed
from badgerjobs.servers import tls

MOST_RECIPIENTS = 50
# In characters, once they are filled. A longer one takes seconds to be written as a mail has it, in folded lines.
LONGEST_SUBJECT, LONGEST_ADDRESS, LONGEST_NAME = 1000, 320, 100


@dataclass(frozen=True, slots=True)
class Mail:
    """Checked, and not written yet: that takes long. `id` is the same over all attempts of a run."""

    id: str
    sender: Address
    to: Sequence[Address]
    subject: str
    text: str
    html: str


def check_address(text: str) -> None:
    """Refuse what is no single address, with or without a name before it."""
    try:
        _address(text)
    except ValueError as error:
        raise serializers.ValidationError(str(error)) from None


def mail_of(  # noqa: PLR0913  what a mail is made of
    run_id: UUID, sender: str, to: Sequence[str], *, subject: str, text: str, html: str
) -> Mail:
    """The mail. Its id is the run's: a server that gets it twice can tell. Raises ValueError for what is no mail."""
    if not 1 <= len(to) <= MOST_RECIPIENTS:
        raise ValueError(f"A mail goes to 1 to {MOST_RECIPIENTS} addresses; these are {len(to)}.")
    line = " ".join(subject.split())
    if len(line) > LONGEST_SUBJECT:
        raise ValueError(
            f"The subject has {len(line):,} characters with the input in it: at most {LONGEST_SUBJECT:,} can be sent. "
            "Put the rest into the text."
        )
    origin = _address(sender)
    return Mail(f"<{run_id}@{origin.domain}>", origin, [_address(one) for one in to], line, text, html)


def written(mail: Mail, at: datetime) -> bytes:
    """The mail as it is sent at this moment. Not for an event loop: texts are long. Raises ValueError."""
    message = EmailMessage(policy=SMTP)
    try:
        message["Date"] = at
        message["From"], message["To"], message["Subject"] = mail.sender, mail.to, mail.subject
        message["Message-ID"] = mail.id
        message.set_content(mail.text)
        if mail.html:
            message.add_alternative(mail.html, subtype="html")
        return message.as_bytes()
    except (MessageError, ValueError, RecursionError) as error:
        raise ValueError(f"The mail cannot be written: {error}.") from None


def deliver(mail: Mail, at: datetime, connection: Mapping[str, Any], line: Line, timeout_s: float) -> Done | Failed:
    """Write it, and hand it over. Blocks."""
    try:
        message = written(mail, at)
    except ValueError as error:
        return Failed("input", str(error), retry=False)
    return send(mail, message, connection, line, timeout_s)


def send(mail: Mail, message: bytes, connection: Mapping[str, Any], line: Line, timeout_s: float) -> Done | Failed:
    """Hand it over to the server at the other end of the line. Blocks."""
    secrets, to = [connection["password"]], [one.addr_spec for one in mail.to]
    try:
        with _Session(connection, line, timeout_s) as session:
            refused = session.sendmail(mail.sender.addr_spec, to, message)
    except smtplib.SMTPServerDisconnected:
        return Failed(
            "connect", f"{connection['host']} closed the connection before it took the mail: is it that port?"
        )
    except smtplib.SMTPException as error:
        return _rejected(error, connection["host"], secrets)
    except OSError as error:
        return _broken(error, connection["host"], timeout_s)
    except UnicodeError:
        return Failed("auth", "User and password for a mail server may have ASCII characters only.", retry=False)
    except ValueError:  # a challenge, or a greeting, that cannot be read
        return Failed("protocol", f"{connection['host']} does not speak SMTP as others do.", retry=False)
    taken = [one for one in to if one not in refused]
    turned_down = {one: f"{code} {quoted(said, secrets)}" for one, (code, said) in refused.items()}
    return Done({"message_id": mail.id, "accepted": taken, "refused": turned_down})


def _rejected(error: smtplib.SMTPException, host: str, secrets: Sequence[str]) -> Failed:
    """What the server said no to. Codes from 500 are final, those below are not."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, said = next(iter(error.recipients.values()))
            who = ", ".join(error.recipients)
            return Failed(
                "rejected", f"{host} takes no mail for {who}: {code} {quoted(said, secrets)}", retry=code < 500
            )
        case smtplib.SMTPAuthenticationError():
            sentence = f"{host} did not take the user and password: {_said(error, secrets)}"
            return Failed("auth", sentence, retry=error.smtp_code < 500)
        case smtplib.SMTPResponseException():
            sentence = f"{host} did not take the mail: {_said(error, secrets)}"
            return Failed("rejected", sentence, retry=error.smtp_code < 500)
    return Failed("protocol", f"{host} cannot do this: {quoted(str(error), secrets)}", retry=False)


def _broken(error: OSError, host: str, timeout_s: float) -> Failed:
    if isinstance(error, ssl.SSLError):
        return Failed("tls", tls.sentence(error, host))
    if isinstance(error, TimeoutError):
        return Failed("timeout", f"{host} did not answer within {timeout_s:g} s.")
    return Failed("connect", f"The connection to {host} broke.")


class _Session(smtplib.SMTP):
    """Signed in, at the other end of a line: TLS to the server by its own name, whatever port leads there."""

    def __init__(self, connection: Mapping[str, Any], line: Line, timeout_s: float) -> None:
        self._connection = connection
        super().__init__(local_hostname="localhost", timeout=timeout_s)
        self._host = connection["host"]
        try:
            self._begin(line.port)
        except BaseException:
            self.close()
            raise

    def _begin(self, port: int) -> None:
        connection = self._connection
        code, said = self.connect(LOOPBACK, port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)
        if connection["security"] == "starttls":
            self.starttls(context=tls.context_of(connection))
        if connection["user"]:
            self.login(connection["user"], connection["password"])

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        plain = super()._get_socket(host, port, timeout)  # type: ignore[misc]  # the stubs leave it out
        if self._connection["security"] != "tls":
            return plain
        return tls.context_of(self._connection).wrap_socket(plain, server_hostname=self._connection["host"])


def _address(text: str) -> Address:
    """One address, its domain in ASCII (IDNA), as every server takes it. Raises ValueError."""
    if len(text) > LONGEST_ADDRESS + LONGEST_NAME:
        raise _too_long(text)
    try:
        [(name, address)] = getaddresses([text]) if text.isprintable() else []
        validate_email(address)
        local, _, domain = address.rpartition("@")
        found = Address(name, local, domain if domain.isascii() else target_of(f"https://{domain}/").host)
    except (DjangoValidationError, ValueError, IndexError, RecursionError):
        raise ValueError(f"“{text[:100]}” is no e-mail address.") from None
    if len(found.addr_spec) > LONGEST_ADDRESS or len(name) > LONGEST_NAME:
        raise _too_long(text)
    return found


def _too_long(text: str) -> ValueError:
    return ValueError(
        f"“{text[:100]}…” is too long: an e-mail address has at most {LONGEST_ADDRESS} characters, and the name "
        f"before it {LONGEST_NAME}."
    )


def _said(error: smtplib.SMTPResponseException, secrets: Sequence[str]) -> str:
    return f"{error.smtp_code} {quoted(error.smtp_error, secrets)}"
