"""Browsers of people who have, or want, an account: what tests of accounts drive them by."""

import re
import time
from typing import Any

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.test import Client
from django.urls import reverse

PASSWORD = "a walk in the wood"
WRONG = "not the password"
# The real one takes half a second each time, which is what it is for.
QUICK_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
HTML = {"Accept": "text/html"}


def browser(**more: Any) -> Client:
    """A browser of its own, with no session."""
    return Client(headers=HTML, **more)


def sign_up(client: Client, email: str = "alice@example.com", password: str = PASSWORD) -> Any:
    return client.post(reverse("account_signup"), {"email": email, "password1": password}, follow=True)


def sign_in(client: Client, email: str = "alice@example.com", password: str = PASSWORD, **more: str) -> Any:
    return client.post(reverse("account_login"), {"login": email, "password": password, **more}, follow=True)


def prove(client: Client, password: str = PASSWORD) -> Any:
    """Give the password once more: what matters asks for it, and does so again after five minutes."""
    return client.post(reverse("account_reauthenticate"), {"password": password}, follow=True)


def is_in(client: Client) -> bool:
    """Whether somebody is signed in there."""
    return bool(client.get(reverse("account_email")).status_code == 200)


def mailed_link(email: str = "alice@example.com") -> str:
    """The path of the link in the newest mail to this address; the link stands on a line of its own."""
    newest = next(message for message in reversed(mail.outbox) if message.to == [email])
    found = re.search(r"^http://[^/]+(/\S+)$", str(newest.body), re.MULTILINE)
    assert found, newest.body
    return found[1]


def subjects() -> list[str]:
    return [str(message.subject) for message in mail.outbox]


def says_too_many(answer: Any) -> bool:
    """Whether this was one try too many."""
    return answer.status_code == 429 or b"Too many tries" in answer.content


def code_of(secret: str, periods: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + periods)))


def turn_on(client: Client) -> tuple[str, list[str]]:
    """Turn the second factor on. Returns its secret and the recovery codes."""
    prove(client)
    form = client.get(reverse("mfa_activate_totp"))
    secret = form.context["form"].secret
    shown = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)}, follow=True)
    return secret, list(shown.context["unused_codes"])
