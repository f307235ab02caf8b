"""A notification by mail: what a mail server gets, by which security, and how each failure is told."""

import ssl
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from badgerjobs.runs.outcomes import Outcome
from jobs.events.types import mail as mail_type
from jobs.events.types import notification
from jobs.events.types.mail import Mail, written
from tests.factories import NOW
from tests.jobs.events.performing import RUN, done, failed, occasion, perform
from tests.stand_ins import MailServer, Silent

MAIL = {
    "channel": "email",
    "to": ["{{input.mail}}", "Bob <bob@example.com>"],
    "subject": "Low: {{input.product}}",
    "text": "{{input.product}} is low.\n",
}
INPUT = {"mail": "alice@example.com", "product": "Lamp"}


def smtp(server: MailServer | Silent, **more: Any) -> tuple[str, dict[str, Any]]:
    given = {"host": "server.example.com", "port": server.port, "security": "none", "sender": "Shop <shop@example.com>"}
    return "SMTP", {**given, **more}


def mail(
    server: MailServer | Silent,
    given: Any = INPUT,
    *,
    connection: Any = None,
    timeout_s: float | None = None,
    **more: Any,
) -> Outcome:
    return perform("NOTIFICATION", {**MAIL, **more}, connection or smtp(server), given, timeout_s=timeout_s)


@pytest.fixture
def secure(context: ssl.SSLContext) -> Iterator[MailServer]:
    """A mail server that can turn to TLS."""
    with MailServer(context) as server:
        yield server


def test_a_mail_is_sent_with_the_input_in_it(mails: MailServer) -> None:
    assert done(mail(mails, html="<b>{{input.product}}</b>")) == {
        "message_id": f"<{RUN}@example.com>",
        "accepted": ["alice@example.com", "bob@example.com"],
        "refused": {},
    }
    [sent] = mails.mails
    assert (sent["From"], sent["To"], sent["Subject"], sent["Message-ID"]) == (
        "Shop <shop@example.com>", "alice@example.com, Bob <bob@example.com>", "Low: Lamp", f"<{RUN}@example.com>",
    )  # fmt: skip
    parts = [part.get_content().strip() for part in sent.walk() if not part.is_multipart()]
    assert parts == ["Lamp is low.", "<b>Lamp</b>"]
    assert mails.recipients == [["alice@example.com", "bob@example.com"]]


def test_a_mail_is_dated_when_it_is_sent(mails: MailServer) -> None:
    prepared = notification.prepare(occasion("NOTIFICATION", MAIL, smtp(mails), INPUT))
    assert isinstance(prepared, Mail)
    assert written(prepared, NOW).startswith(f"Date: {format_datetime(NOW)}\r\nFrom: ".encode())
    done(mail(mails))
    assert mails.mails[0]["Date"].datetime


def test_a_mail_is_not_written_on_the_loop_that_all_share(mails: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes long where names and texts are. Headers are parsed as soon as they are set."""
    threads: list[threading.Thread] = []
    parse = type(SMTP).header_store_parse

    def noted(*given: Any) -> Any:
        threads.append(threading.current_thread())
        return parse(*given)

    monkeypatch.setattr(type(SMTP), "header_store_parse", noted)
    done(mail(mails))
    assert threads
    assert threading.main_thread() not in threads


@pytest.mark.parametrize(
    ("given", "more", "sentence"),
    [
        (
            {"product": "a " * 10_000},
            {},
            "The subject has 20,004 characters with the input in it: at most 1,000 can be sent. Put the rest into the",
        ),
        (
            {"mail": "é " * 20_000 + "<a@example.com>"},
            {},
            f"“{'é ' * 50}…” is too long: an e-mail address has at most 320",
        ),
        ({"mail": "é" * 101 + " <a@example.com>"}, {}, "and the name before it 100."),
        ({"mail": "a" * 330 + "@example.com"}, {}, "is no e-mail address."),
        ({"mail": "(" * 2000}, {}, "is too long"),
        ({"mail": "(" * 400}, {}, "is no e-mail address."),
        ({"mail": "a:" * 200}, {}, "is no e-mail address."),
        ({}, {"to": ["é" * 290 + " <a@b.cd>"]}, "is too long"),
    ],
    ids=["subject", "words", "name", "address", "brackets", "fewer", "groups", "no input"],
)
def test_what_would_take_long_to_be_written_is_refused_before_anything_is_connected_to(
    mails: MailServer, given: dict[str, str], more: dict[str, Any], sentence: str
) -> None:
    error_class, said, retry = failed(mail(mails, {**INPUT, **given}, **more))
    assert (error_class, retry, mails.opened) == ("input", False, 0)
    assert sentence in said


def test_what_is_just_short_enough_is_sent(mails: MailServer) -> None:
    name = "A" * 100
    done(mail(mails, {"mail": f"{name} <a@example.com>", "product": "x" * 995}))
    assert mails.mails[0]["Subject"] == f"Low: {'x' * 995}"
    assert mails.mails[0]["To"].addresses[0].display_name == name


def test_a_sender_of_brackets_alone_is_none(mails: MailServer) -> None:
    with pytest.raises(ValidationError, match="is no e-mail address"):
        mail(mails, connection=smtp(mails, sender="(" * 299))


def test_an_address_that_nobody_could_read_is_none(mails: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> None:
        raise RecursionError

    prepared = occasion("NOTIFICATION", MAIL, smtp(mails), INPUT)
    monkeypatch.setattr(mail_type, "getaddresses", fails)
    with pytest.raises(ValueError, match="is no e-mail address"):
        notification.prepare(prepared)


def test_a_mail_that_cannot_be_written_is_told_and_not_tried_again(
    mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(EmailMessage, "as_bytes", fails)
    assert failed(mail(mails)) == ("input", "The mail cannot be written: too deep.", False)


@pytest.mark.parametrize("is_tls", [True, False])
def test_it_signs_in_by_tls_to_the_server_of_that_name(context: ssl.SSLContext, pem: str, is_tls: bool) -> None:
    with MailServer(context, is_tls=is_tls) as server:
        security = "tls" if is_tls else "starttls"
        done(mail(server, connection=smtp(server, security=security, user="u", password="p", certificates=pem)))
        assert server.was_secure == [True]


def test_a_certificate_of_an_unknown_authority_is_refused(secure: MailServer) -> None:
    error_class, sentence, retry = failed(mail(secure, connection=smtp(secure, security="starttls")))
    assert (error_class, retry) == ("tls", True)
    assert sentence == "The certificate of server.example.com is signed by an authority that is not known."


def test_a_certificate_of_another_name_is_refused(secure: MailServer, pem: str) -> None:
    connection = smtp(secure, security="starttls", certificates=pem, host="other.example.com")
    assert failed(mail(secure, connection=connection))[1] == (
        "The certificate of other.example.com belongs to another host name."
    )


def test_a_server_that_cannot_turn_to_tls_gets_neither_password_nor_mail(mails: MailServer) -> None:
    connection = smtp(mails, security="starttls", user="u", password="p")
    error_class, sentence, retry = failed(mail(mails, connection=connection))
    assert (error_class, retry) == ("protocol", False)
    assert sentence == "server.example.com cannot do this: STARTTLS extension not supported by server."
    assert mails.mails == []


def test_a_password_is_never_sent_in_plain(mails: MailServer) -> None:
    with pytest.raises(ValidationError, match="A password is only sent by TLS"):
        mail(mails, connection=smtp(mails, user="u", password="p"))


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (
            {"AUTH": "535 5.7.8 hunter2 is wrong"},
            ("auth", "server.example.com did not take the user and password: 535 5.7.8 ******** is wrong.", False),
        ),
        (
            {"AUTH": "454 4.7.0 Later"},
            ("auth", "server.example.com did not take the user and password: 454 4.7.0 Later.", True),
        ),
        (
            {"MAIL": "550 Not from you"},
            ("rejected", "server.example.com did not take the mail: 550 Not from you.", False),
        ),
        ({"END": "554 Spam"}, ("rejected", "server.example.com did not take the mail: 554 Spam.", False)),
        ({"END": "452 Full"}, ("rejected", "server.example.com did not take the mail: 452 Full.", True)),
        ({"HELLO": "421 Busy"}, ("rejected", "server.example.com did not take the mail: 421 Busy.", True)),
    ],
    ids=["password", "not now", "sender", "content", "full", "busy"],
)
def test_what_the_server_says_no_to_is_told(
    secure: MailServer, pem: str, says: dict[str, str], expected: tuple[str, str, bool]
) -> None:
    secure.says = says
    connection = smtp(secure, security="starttls", user="u", password="hunter2", certificates=pem)
    assert failed(mail(secure, connection=connection)) == expected


def test_if_one_of_two_is_refused_the_other_gets_it_once(mails: MailServer) -> None:
    mails.says = {"RCPT bob@example.com": "550 No such user"}
    result = done(mail(mails))
    assert (result["accepted"], result["refused"]) == (["alice@example.com"], {"bob@example.com": "550 No such user."})


def test_if_all_are_refused_it_fails(mails: MailServer) -> None:
    mails.says = {
        "RCPT": "450 Greylisted",
        "RCPT bob@example.com": "450 Greylisted",
        "RCPT alice@example.com": "450 Greylisted",
    }
    assert failed(mail(mails)) == (
        "rejected", "server.example.com takes no mail for alice@example.com, bob@example.com: 450 Greylisted.", True,
    )  # fmt: skip


def test_a_server_that_hangs_is_given_up_in_time(mails: MailServer) -> None:
    mails.hangs_at = "DATA"
    error_class, sentence, retry = failed(mail(mails, timeout_s=0.05))
    assert (error_class, retry) == ("timeout", True)
    assert "within 0.05 s" in sentence


def test_a_private_address_is_refused(mails: MailServer) -> None:
    error_class, sentence, retry = failed(perform("NOTIFICATION", MAIL, smtp(mails), INPUT, allow=[]))
    assert (error_class, retry) == ("refused", False)
    assert "EGRESS_ALLOW" in sentence


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"mail": "nobody", "product": "x"}, "“nobody” is no e-mail address."),
        (
            {"mail": "a@example.com, b@example.com", "product": "x"},
            "“a@example.com, b@example.com” is no e-mail address.",
        ),
        ({"mail": "a@example.com\r\nBcc: b@example.com", "product": "x"}, "is no e-mail address."),
        ({"product": "x"}, "There is no input.mail: input has product."),
    ],
)
def test_an_input_that_makes_no_mail_fails_at_once(mails: MailServer, given: Any, sentence: str) -> None:
    error_class, said, retry = failed(mail(mails, given))
    assert (error_class, retry) == ("input", False)
    assert sentence in said


def test_a_domain_may_have_letters_of_any_language(mails: MailServer) -> None:
    connection = smtp(mails, sender="Bücher <shop@bücher.de>")
    result = done(mail(mails, {**INPUT, "mail": "Jürgen <a@bücher.de>"}, connection=connection))
    assert result["accepted"] == ["a@xn--bcher-kva.de", "bob@example.com"]
    assert result["message_id"] == f"<{RUN}@xn--bcher-kva.de>"
    assert mails.recipients == [["a@xn--bcher-kva.de", "bob@example.com"]]
    assert mails.mails[0]["From"] == "Bücher <shop@xn--bcher-kva.de>"


@pytest.mark.parametrize("more", [{"user": "pässword"}, {"password": "pässword"}], ids=["user", "password"])
def test_a_user_or_password_that_smtp_has_no_letters_for_is_told(
    secure: MailServer, pem: str, more: dict[str, str]
) -> None:
    connection = smtp(secure, security="starttls", certificates=pem, **{"user": "u", "password": "p", **more})
    assert failed(mail(secure, connection=connection)) == (
        "auth", "User and password for a mail server may have ASCII characters only.", False
    )  # fmt: skip


def test_a_challenge_that_cannot_be_read_is_told(secure: MailServer, pem: str) -> None:
    secure.says = {"AUTH": "334 a"}
    connection = smtp(secure, security="starttls", user="u", password="p", certificates=pem)
    assert failed(mail(secure, connection=connection)) == (
        "protocol", "server.example.com does not speak SMTP as others do.", False
    )  # fmt: skip


def test_a_subject_stays_one_line(mails: MailServer) -> None:
    done(mail(mails, {**INPUT, "product": "Lamp\r\nBcc: eve@example.com"}))
    assert mails.mails[0]["Subject"] == "Low: Lamp Bcc: eve@example.com"
    assert mails.mails[0]["Bcc"] is None
