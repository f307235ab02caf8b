"""How a caller proves who it is: a literal table, name → where its `Scheme` is. A new one is a row here and a file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.utils.module_loading import import_string

from badgerjobs.web.definitions.configurations import NO_SECRETS, Secrets
from badgerjobs.web.serializers import StrictSerializer
from webhooks.models import Verification
from webhooks.receiving.calls import Call

SCHEMES: Mapping[str, str] = {
    Verification.NONE: "webhooks.verification.anybody.NONE",
    Verification.STANDARD: "webhooks.verification.standard.STANDARD",
    Verification.GITHUB: "webhooks.verification.github.GITHUB",
    Verification.GITLAB: "webhooks.verification.gitlab.GITLAB",
    Verification.STRIPE: "webhooks.verification.stripe.STRIPE",
    Verification.SHOPIFY: "webhooks.verification.shopify.SHOPIFY",
    Verification.SLACK: "webhooks.verification.slack.SLACK",
    Verification.HMAC: "webhooks.verification.signed.HMAC",
    Verification.BASIC: "webhooks.verification.basic.BASIC",
    Verification.BEARER: "webhooks.verification.bearer.BEARER",
    Verification.ADDRESSES: "webhooks.verification.addresses.ADDRESSES",
}

Settings = Mapping[str, Any]


def _no_proofs(_: Settings) -> frozenset[str]:
    return frozenset()


def _no_challenge(_: Call) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way to prove who calls.

    `serializer` checks its settings. `verify` says why a call is refused, in a sentence that quotes no secret and has
    300 characters at most; empty for one that is right. It reads the raw bytes, takes the same time whatever is wrong
    with a signature, and raises nothing. `event_id`: the id by which the provider knows what it sends, the same when it
    sends it again; empty where there is none. `challenge`: what a call, once verified, asks to be answered with in
    place of being stored, as Slack does before its first; empty for every other.

    `proofs`: the headers, in lower case, that vouch for this one body and let nobody say anything else, so that they
    may be kept with the delivery as they came. What lets its bearer in is none of them.

    `word` is what people call it, `hint` what they need for it.
    """

    serializer: type[StrictSerializer]
    verify: Callable[[Settings, Call, datetime], str]
    event_id: Callable[[Call], str]
    word: str
    hint: str
    secrets: Secrets = NO_SECRETS
    proofs: Callable[[Settings], frozenset[str]] = _no_proofs
    challenge: Callable[[Call], str] = _no_challenge


@cache
def scheme_of(name: str) -> Scheme:
    """The scheme with this name. Raises KeyError for an unknown one, ImportError for a row that leads nowhere."""
    found = import_string(SCHEMES[name])
    if not isinstance(found, Scheme):
        raise ImportError(f"{SCHEMES[name]} is not a Scheme.")  # noqa: TRY004  the row is wrong, not a value
    return found
