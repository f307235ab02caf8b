"""Stripe: the HMAC of timestamp and body, in hex, one for each secret that is valid."""

from datetime import datetime

from webhooks.models import Verification
from webhooks.receiving.calls import Call
from webhooks.verification import Scheme, Settings
from webhooks.verification.ids import in_body
from webhooks.verification.judging import digests, in_hex, keys_of, mismatch, missing, out_of_time
from webhooks.verification.settings import ALL_SECRETS, TimedSettings

HEADER = "Stripe-Signature"


def verify(settings: Settings, call: Call, now: datetime) -> str:
    """`t=1492774577,v1=…,v1=…`. The secret is taken as it is written, with its `whsec_`."""
    said = call.headers.get(HEADER.lower())
    if not said:
        return missing(HEADER)
    parts = [part.strip().partition("=") for part in said.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1:
        return f"{HEADER} has not one timestamp but {len(times)}."
    if reason := out_of_time(f"The timestamp in {HEADER}", times[0], settings, now):
        return reason
    offered = [value for name, _, value in parts if name == "v1"]
    expected = digests(keys_of(settings), f"{times[0]}.".encode(), call.raw)
    return "" if in_hex(offered, expected) else mismatch(HEADER)


def proofs(_: Settings) -> frozenset[str]:
    """Timestamp and signatures."""
    return frozenset({HEADER.lower()})


STRIPE = Scheme(
    TimedSettings,
    verify,
    in_body("id"),
    Verification.STRIPE.label,
    "Stripe shows the signing secret of each endpoint: it begins with whsec_.",
    ALL_SECRETS,
    proofs,
)
