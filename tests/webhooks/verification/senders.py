"""Those who sign what they send, each by the algorithm that it publishes: written out here, and not taken from ours."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from webhooks.models import Verification
from webhooks.receiving.calls import Call
from webhooks.verification import scheme_of

NOW = datetime(2026, 11, 22, 20, 44, 16, 500_000, tzinfo=UTC)
AT = int(NOW.timestamp())
BODY = b'{"id": "evt_1", "event_id": "Ev1", "text": "caf\xc3\xa9"}'
SECRET, OTHER = "a secret of ours", "a secret of somebody else"
WHSEC = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
OTHER_WHSEC = "whsec_" + base64.b64encode(b"fedcba9876543210fedcba98").decode()

Headers = dict[str, str]


def _mac(key: bytes, text: bytes, how: str = "sha256") -> bytes:
    return hmac.new(key, text, getattr(hashlib, how)).digest()


def standard(secret: str, body: bytes, at: int) -> Headers:
    key = base64.b64decode(secret.split("_", 1)[1])
    signature = base64.b64encode(_mac(key, f"msg_1.{at}.".encode() + body)).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": f"v1,{signature}"}


def svix(secret: str, body: bytes, at: int) -> Headers:
    return {name.replace("webhook", "svix"): value for name, value in standard(secret, body, at).items()}


def github(secret: str, body: bytes, _at: int) -> Headers:
    return {"x-hub-signature-256": f"sha256={_mac(secret.encode(), body).hex()}"}


def stripe(secret: str, body: bytes, at: int) -> Headers:
    signature = _mac(secret.encode(), str(at).encode() + b"." + body).hex()
    return {"stripe-signature": f"t={at},v0=0123,v1={signature}"}


def shopify(secret: str, body: bytes, _at: int) -> Headers:
    return {"x-shopify-hmac-sha256": base64.b64encode(_mac(secret.encode(), body)).decode()}


def slack(secret: str, body: bytes, at: int) -> Headers:
    signature = _mac(secret.encode(), b"v0:" + str(at).encode() + b":" + body).hex()
    return {"x-slack-signature": f"v0={signature}", "x-slack-request-timestamp": str(at)}


def plain_hex(secret: str, body: bytes, _at: int) -> Headers:
    return {"x-signature": _mac(secret.encode(), body).hex()}


def old_prefixed(secret: str, body: bytes, _at: int) -> Headers:
    return {"x-hub-signature": f"sha1={_mac(secret.encode(), body, 'sha1').hex()}"}


def teams(secret: str, body: bytes, _at: int) -> Headers:
    key = base64.b64decode(base64.b64encode(secret.encode()))
    return {"authorization": f"HMAC {base64.b64encode(_mac(key, body)).decode()}"}


def adyen(secret: str, body: bytes, _at: int) -> Headers:
    return {"hmacsignature": base64.b64encode(_mac(secret.encode(), body, "sha512")).decode()}


def zoom(secret: str, body: bytes, at: int) -> Headers:
    signature = _mac(secret.encode(), b"v0:" + str(at).encode() + b":" + body).hex()
    return {"x-zm-signature": f"v0={signature}", "x-zm-request-timestamp": str(at)}


def twitch(secret: str, body: bytes, at: int) -> Headers:
    signature = _mac(secret.encode(), b"id-1" + str(at).encode() + body).hex()
    return {"tw-signature": f"sha256={signature}", "tw-id": "id-1", "tw-timestamp": str(at)}


def _as_it_is(secret: str) -> str:
    return secret


@dataclass(frozen=True)
class Sender:
    """Somebody who signs by `headers`, and the settings with which a hook believes them.

    `signature` is the header that has it. `second` joins two signatures in it. `timed`: whether it says when it was.
    `is_hex`: whether letters' case means nothing in it. `written`: how the secret is written in the settings.
    """

    name: str
    scheme: str
    headers: Callable[[str, bytes, int], Headers]
    signature: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    timed: bool = False
    is_hex: bool = True
    second: str = ","
    secret: str = SECRET
    other: str = OTHER
    written: Callable[[str], str] = _as_it_is

    def set_up(self, **changed: Any) -> dict[str, Any]:
        """The settings, checked as a hook's are."""
        given = {"secret": self.written(self.secret), **self.settings, **changed}
        found = scheme_of(self.scheme).serializer(data=given)
        found.is_valid(raise_exception=True)
        return dict(found.validated_data)

    def signed(self, secret: str | None = None, body: bytes = BODY, at: int = AT) -> Headers:
        return self.headers(secret or self.secret, body, at)

    def judged(self, headers: Headers, body: bytes = BODY, **changed: Any) -> str:
        return scheme_of(self.scheme).verify(self.set_up(**changed), called(headers, body), NOW)


def called(headers: Headers, body: bytes = BODY, address: str | None = "198.51.100.7") -> Call:
    return Call("POST", "", headers, body, address)


def _hmac(name: str, headers: Callable[[str, bytes, int], Headers], signature: str, **given: Any) -> Sender:
    sender = {key: given.pop(key) for key in ("timed", "is_hex", "written") if key in given}
    return Sender(name, Verification.HMAC, headers, signature, {"header": signature, **given}, **sender)


def _in_base64(secret: str) -> str:
    return base64.b64encode(secret.encode()).decode()


def _in_hex(secret: str) -> str:
    return secret.encode().hex()


SIGNERS = [
    Sender(
        "standard", Verification.STANDARD, standard, "webhook-signature",
        timed=True, is_hex=False, second=" ", secret=WHSEC, other=OTHER_WHSEC,
    ),
    Sender(
        "svix", Verification.STANDARD, svix, "svix-signature",
        timed=True, is_hex=False, second=" ", secret=WHSEC, other=OTHER_WHSEC,
    ),
    Sender("github", Verification.GITHUB, github, "x-hub-signature-256"),
    Sender(
        "gitlab, signing", Verification.GITLAB, standard, "webhook-signature",
        timed=True, is_hex=False, second=" ", secret=WHSEC, other=OTHER_WHSEC,
    ),
    Sender("stripe", Verification.STRIPE, stripe, "stripe-signature", timed=True),
    Sender("shopify", Verification.SHOPIFY, shopify, "x-shopify-hmac-sha256", is_hex=False),
    Sender("slack", Verification.SLACK, slack, "x-slack-signature", timed=True),
    _hmac("hmac, plain", plain_hex, "x-signature"),
    _hmac("hmac, sha1", old_prefixed, "x-hub-signature", prefix="sha1=", algorithm="sha1"),
    _hmac(
        "hmac, teams", teams, "authorization", prefix="HMAC ", encoding="base64",
        secret_encoding="base64", is_hex=False, written=_in_base64,
    ),
    _hmac(
        "hmac, sha512", adyen, "hmacsignature", algorithm="sha512", encoding="base64",
        secret_encoding="hex", is_hex=False, written=_in_hex,
    ),
    _hmac(
        "hmac, zoom", zoom, "x-zm-signature", prefix="v0=", signed="v0:{X-Zm-Request-Timestamp}:{body}",
        timestamp_header="x-zm-request-timestamp", timed=True,
    ),
    _hmac(
        "hmac, twitch", twitch, "tw-signature", prefix="sha256=", signed="{tw-id}{tw-timestamp}{body}",
        timestamp_header="TW-Timestamp", timed=True,
    ),
]  # fmt: skip
TIMED = [sender for sender in SIGNERS if sender.timed]


def named(senders: list[Sender]) -> list[Any]:
    """For `parametrize`: ids hold no keys."""
    return [pytest.param(sender, id=sender.name) for sender in senders]
