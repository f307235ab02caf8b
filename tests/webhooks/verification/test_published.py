"""What providers have published to try one's own verification with, and Standard Webhooks' own library."""

from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from badgerjobs.lib import signatures
from tests.webhooks.verification.senders import BODY, OTHER_WHSEC, WHSEC, called
from webhooks.verification import scheme_of

STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_BODY = b'{"test": 2432232314}'
STANDARD = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar"
    b"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a1"
    b"4d10d2c447fce8b6703c"
)
SLACK = {
    "x-slack-request-timestamp": "1531420618",
    "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
}
GITHUB_SECRET = "It's a Secret to Everybody"
GITHUB = {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}

CASES = [
    pytest.param("standard", STANDARD_SECRET, STANDARD, STANDARD_BODY, 1614265330, id="Standard Webhooks"),
    pytest.param("github", GITHUB_SECRET, GITHUB, b"Hello, World!", 0, id="GitHub"),
    pytest.param("slack", SLACK_SECRET, SLACK, SLACK_BODY, 1531420618, id="Slack"),
]


@pytest.mark.parametrize(("scheme", "secret", "headers", "body", "at"), CASES)
def test_what_a_provider_published_is_believed(
    scheme: str, secret: str, headers: dict[str, str], body: bytes, at: int
) -> None:
    verify, now = scheme_of(scheme).verify, datetime.fromtimestamp(at, UTC)
    assert verify({"secret": secret}, called(headers, body), now) == ""
    assert verify({"secret": secret[:-1] + "x"}, called(headers, body), now) != ""
    assert verify({"secret": secret}, called(headers, body + b"!"), now) != ""


def headers_of(secret: str, at: datetime, body: bytes = BODY, message: str = "msg_1") -> dict[str, str]:
    """As the library signs."""
    signature = Webhook(secret).sign(message, at, body.decode())
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


def ours(headers: dict[str, str], now: datetime, body: bytes = BODY, **settings: Any) -> str:
    return scheme_of("standard").verify({"secret": WHSEC, **settings}, called(headers, body), now)


def theirs(headers: dict[str, str], body: bytes = BODY) -> bool:
    """Whether the library believes it. It reads the clock itself."""
    try:
        Webhook(WHSEC).verify(body, headers, json_parse=False)
    except WebhookVerificationError:
        return False
    return True


def test_what_standard_webhooks_own_library_signs_is_believed() -> None:
    now = datetime.now(UTC)
    assert ours(headers_of(WHSEC, now), now) == ""
    assert ours(headers_of(OTHER_WHSEC, now), now, previous_secret=OTHER_WHSEC) == ""
    assert "does not match" in ours(headers_of(OTHER_WHSEC, now), now)


def test_standard_webhooks_own_library_believes_what_we_sign() -> None:
    now = int(datetime.now(UTC).timestamp())
    assert theirs(dict(signatures.headers([OTHER_WHSEC, WHSEC], "msg_1", now, BODY)))
    assert not theirs(dict(signatures.headers(OTHER_WHSEC, "msg_1", now, BODY)))


ODD = {
    "as it is": {},
    "old": {"webhook-timestamp": "1614265330"},
    "another id": {"webhook-id": "msg_2"},
    "no id": {"webhook-id": ""},
    "another version": {"webhook-signature": "v2,{}"},
    "two": {"webhook-signature": "v1,AAAA v1,{}"},
    "two, the first of another version": {"webhook-signature": "v1a,AAAA v1,{}"},
    "two that are wrong": {"webhook-signature": "v1,AAAA v1,AAAA"},
}


@pytest.mark.parametrize("changed", ODD.values(), ids=ODD.keys())
def test_we_believe_what_standard_webhooks_own_library_believes(changed: dict[str, str]) -> None:
    now = datetime.now(UTC)
    headers = headers_of(WHSEC, now)
    signature = headers["webhook-signature"].partition(",")[2]
    headers |= {name: value.format(signature) for name, value in changed.items()}
    assert (ours(headers, now) == "") is theirs(headers)
