"""Any HMAC signature in a header: of the body, or of a text that the body and other headers stand in."""

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rest_framework import serializers

from badgerjobs.web.serializers import OneOfField
from webhooks.models import Verification
from webhooks.receiving.calls import Call
from webhooks.verification import Scheme, Settings
from webhooks.verification.ids import usual
from webhooks.verification.judging import (
    digests,
    in_hex,
    is_among,
    keys_of,
    mismatch,
    missing,
    offers,
    out_of_time,
)
from webhooks.verification.settings import ALL_SECRETS, HeaderField, TimedSettings

HEX, BASE64, TEXT = "hex", "base64", "text"
BODY = "body"
PLACEHOLDER = re.compile(r"\{([A-Za-z0-9-]+)\}")

ONE_BODY = "{body} must stand in it once: a signature that does not cover the body says nothing of it."
NO_PLACEHOLDER = "In braces stands body, or the name of a header: {x-request-timestamp}, say."
UNSIGNED_TIME = "What is signed must hold {{{}}}: a time that nobody signed says nothing."
NO_KEY = "This is not {}."


class HmacSettings(TimedSettings):
    """Where the signature stands, and how it is made."""

    header = HeaderField(help_text="The header with the signature, like X-Signature.")
    algorithm = OneOfField(
        ["sha256", "sha512", "sha384", "sha1"], default="sha256", help_text="Of the HMAC: sha256, sha512, sha384, sha1."
    )
    encoding = OneOfField([HEX, BASE64], default=HEX, help_text="How the signature is written: hex or base64.")
    prefix = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=50,
        trim_whitespace=False,
        help_text="What stands before it, like sha256= or v1=.",
    )
    signed = serializers.CharField(
        default="{body}",
        max_length=300,
        trim_whitespace=False,
        help_text="What is signed: {body}, perhaps with headers, like v0:{x-request-timestamp}:{body}.",
    )
    timestamp_header = HeaderField(
        default="",
        allow_blank=True,
        help_text="The header that says when it was signed, in seconds since 1970. It must be part of what is signed.",
    )
    secret_encoding = OneOfField(
        [TEXT, BASE64, HEX], default=TEXT, help_text="How the secret is written: text as it is, base64 or hex."
    )

    def validate_prefix(self, prefix: str) -> str:
        """Commas stand between signatures."""
        if "," in prefix:
            raise serializers.ValidationError("A comma stands between signatures, and in none of them.")
        return prefix

    def validate_signed(self, signed: str) -> str:
        """The body, once, and headers."""
        if PLACEHOLDER.findall(signed).count(BODY) != 1:
            raise serializers.ValidationError(ONE_BODY)
        if set("{}") & set(PLACEHOLDER.sub("", signed)):
            raise serializers.ValidationError(NO_PLACEHOLDER)
        return signed

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The secrets are what they are said to be, and the timestamp is signed."""
        attrs = super().validate(attrs)
        wrong: dict[str, list[str]] = {}
        timestamp = attrs.get("timestamp_header", "")
        if timestamp and timestamp.lower() not in map(str.lower, PLACEHOLDER.findall(attrs["signed"])):
            wrong["timestamp_header"] = [UNSIGNED_TIME.format(timestamp)]
        for name in {"secret", "previous_secret"} & attrs.keys():
            try:
                _key(attrs[name].encode(), attrs["secret_encoding"])
            except ValueError:
                wrong[name] = [NO_KEY.format(attrs["secret_encoding"])]
        if wrong:
            raise serializers.ValidationError(wrong)
        return attrs


def verify(settings: Settings, call: Call, now: datetime) -> str:
    """The signature in the header, or one of several with commas between them."""
    header, timestamp = settings["header"], settings.get("timestamp_header")
    said = call.headers.get(header.lower())
    if not said:
        return missing(header)
    signed = settings.get("signed") or f"{{{BODY}}}"
    named = PLACEHOLDER.findall(signed)
    if absent := next((name for name in named if name != BODY and not call.headers.get(name.lower())), ""):
        return missing(absent)
    if timestamp and (reason := out_of_time(timestamp, call.headers.get(timestamp.lower(), ""), settings, now)):
        return reason
    keys = [_key(key, settings.get("secret_encoding", TEXT)) for key in keys_of(settings)]
    expected = digests(keys, *_parts(signed, call), algorithm=settings.get("algorithm", "sha256"))
    offered = offers(said, settings.get("prefix", "").strip())
    if settings.get("encoding", HEX) == HEX:
        is_right = in_hex((one.strip() for one in offered), expected)
    else:
        is_right = is_among((one.strip() for one in offered), (base64.b64encode(one).decode() for one in expected))
    return "" if is_right else mismatch(header)


def _parts(signed: str, call: Call) -> Iterator[bytes]:
    """What is signed, in pieces: the body may be long."""
    for place, piece in enumerate(PLACEHOLDER.split(signed)):
        if place % 2 == 0:
            yield piece.encode()
        elif piece == BODY:
            yield call.raw
        else:
            yield call.headers[piece.lower()].encode("latin-1", errors="replace")  # its bytes, as they came


def _key(key: bytes, written: str) -> bytes:
    """The bytes of a secret. Raises ValueError for one that is not written like this, and for none at all."""
    if written == BASE64:
        found = base64.b64decode(key, validate=True)
    else:
        found = binascii.unhexlify(key) if written == HEX else key
    if not found:  # anybody could sign with that
        raise ValueError
    return found


def proofs(settings: Settings) -> frozenset[str]:
    """The signature. Of the headers that are signed with it, one might be a key."""
    return frozenset({settings["header"].lower()})


HMAC = Scheme(
    HmacSettings,
    verify,
    usual,
    Verification.HMAC.label,
    "Of whoever signs the body in a way of their own: the header, the algorithm, how the signature is written.",
    ALL_SECRETS,
    proofs,
)
