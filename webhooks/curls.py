"""A call of a hook in a shell, signed as its verification wants it. Secrets stand in it by their names only."""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from webhooks.models import Hook, Verification

BODY = 'body=\'{"hello": "world"}\''
SECRET = "SECRET='paste it here'"  # noqa: S105  nobody's
AT = "at=$(date +%s)"
# Of what openssl is given: a key as it is, one in hex, and one in base64.
TEXT_KEY = '-hmac "$SECRET"'
HEX_KEY = '-mac HMAC -macopt "hexkey:$SECRET"'
BASE64_KEY = '-mac HMAC -macopt "hexkey:$key"'
KEY = "key=$(printf %s \"{}\" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \\n')"


class Signed(NamedTuple):
    """What comes before the call, and what it is given besides its body: the arguments of curl, ready for a shell."""

    before: Sequence[str]
    arguments: Sequence[str]


def curl_of(hook: Hook, url: str) -> str:
    """The lines to paste into a shell: POSIX, with openssl where something is signed."""
    how = _HOW.get(hook.verification, _plain)(hook.settings)
    method = "" if "POST" in hook.methods else f" -X {hook.methods[0]}"
    call = [f"curl{method} {shlex.quote(url)}", "-H 'Content-Type: application/json'", *how.arguments, '-d "$body"']
    return "\n".join([*how.before[:1], BODY, *how.before[1:], " \\\n  ".join(call)])


def _plain(_: Mapping[str, Any]) -> Signed:
    return Signed([], [])


def _signature(of: str, key: str = TEXT_KEY, algorithm: str = "sha256", *, is_hex: bool = True) -> str:
    """The line that makes it, over a text in which the shell puts values."""
    written = "-r | cut -d ' ' -f 1" if is_hex else "-binary | openssl base64 -A"
    return f'signature=$(printf %s "{of}" | openssl dgst -{algorithm} {key} {written})'


def _standard(_: Mapping[str, Any]) -> Signed:
    sign = _signature("$id.$at.$body", BASE64_KEY, is_hex=False)
    names = {"webhook-id": "$id", "webhook-timestamp": "$at", "webhook-signature": "v1,$signature"}
    return Signed([SECRET, AT, "id=msg_$at", KEY.format("${SECRET#whsec_}"), sign], _headers(names))


def _github(_: Mapping[str, Any]) -> Signed:
    return Signed([SECRET, _signature("$body")], _headers({"X-Hub-Signature-256": "sha256=$signature"}))


def _gitlab(settings: Mapping[str, Any]) -> Signed:
    if str(settings.get("secret", "")).startswith("whsec_"):
        return _standard(settings)
    return Signed([SECRET], _headers({"X-Gitlab-Token": "$SECRET"}))


def _stripe(_: Mapping[str, Any]) -> Signed:
    return Signed([SECRET, AT, _signature("$at.$body")], _headers({"Stripe-Signature": "t=$at,v1=$signature"}))


def _shopify(_: Mapping[str, Any]) -> Signed:
    return Signed([SECRET, _signature("$body", is_hex=False)], _headers({"X-Shopify-Hmac-Sha256": "$signature"}))


def _slack(_: Mapping[str, Any]) -> Signed:
    names = {"X-Slack-Request-Timestamp": "$at", "X-Slack-Signature": "v0=$signature"}
    return Signed([SECRET, AT, _signature("v0:$at:$body")], _headers(names))


def _hmac(settings: Mapping[str, Any]) -> Signed:
    signed, key = settings.get("signed") or "{body}", settings.get("secret_encoding", "text")
    names = [name for name in dict.fromkeys(re.findall(r"\{([A-Za-z0-9-]+)\}", signed)) if name != "body"]
    values = {name: f"value{number}" for number, name in enumerate(names, start=1)}
    timestamp = settings.get("timestamp_header", "").lower()
    made = [f"{value}={'$(date +%s)' if name.lower() == timestamp else 'example'}" for name, value in values.items()]
    parts = re.split(r"\{([A-Za-z0-9-]+)\}", signed)
    text = "".join(f"${{{values.get(one, one)}}}" if place % 2 else _inside(one) for place, one in enumerate(parts))
    keys = {"text": TEXT_KEY, "hex": HEX_KEY, "base64": BASE64_KEY}[key]
    sign = _signature(text, keys, settings.get("algorithm", "sha256"), is_hex=settings.get("encoding") != "base64")
    headers = {name: f"${value}" for name, value in values.items()}
    headers[settings.get("header", "")] = _inside(settings.get("prefix", "")) + "$signature"
    decode = [KEY.format("$SECRET")] if key == "base64" else []
    return Signed([SECRET, *made, *decode, sign], _headers(headers))


def _basic(settings: Mapping[str, Any]) -> Signed:
    return Signed(["PASSWORD='paste it here'"], [f'-u "{_inside(settings.get("username", ""))}:$PASSWORD"'])


def _bearer(settings: Mapping[str, Any]) -> Signed:
    header = settings.get("header", "Authorization")
    value = "Bearer $TOKEN" if header.lower() == "authorization" else "$TOKEN"
    return Signed(["TOKEN='paste it here'"], _headers({header: value}))


def _headers(named: Mapping[str, str]) -> list[str]:
    return [f'-H "{name}: {value}"' for name, value in named.items()]


def _inside(text: str) -> str:
    """As it stands between double quotes: the shell finds nothing in it to put something in its place."""
    return re.sub(r'([\\"$`])', r"\\\1", text)


_HOW: Mapping[str, Callable[[Mapping[str, Any]], Signed]] = {
    Verification.STANDARD: _standard,
    Verification.GITHUB: _github,
    Verification.GITLAB: _gitlab,
    Verification.STRIPE: _stripe,
    Verification.SHOPIFY: _shopify,
    Verification.SLACK: _slack,
    Verification.HMAC: _hmac,
    Verification.BASIC: _basic,
    Verification.BEARER: _bearer,
}
