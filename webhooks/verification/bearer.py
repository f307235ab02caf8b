"""A token in a header: of `Authorization` behind the word Bearer, of any other the whole."""

from datetime import datetime

from badgerjobs.lib.vault import MASK
from webhooks.models import Verification
from webhooks.receiving.calls import Call
from webhooks.verification import Scheme, Settings
from webhooks.verification.ids import usual
from webhooks.verification.judging import is_among, missing, not_kept, readings
from webhooks.verification.settings import ALL_SECRETS, HeaderField, SecretSettings

USUAL_HEADER = "Authorization"


class BearerSettings(SecretSettings):
    """`secret` is the token."""

    header = HeaderField(
        default=USUAL_HEADER, help_text="The header with the token: Authorization, or one like X-API-Key."
    )


def verify(settings: Settings, call: Call, _now: datetime) -> str:
    """It does not vouch for the body: whoever has the token may send anything."""
    header = settings.get("header", USUAL_HEADER)
    said = call.headers.get(header.lower())
    if not said:
        return missing(header)
    if said == MASK:
        return not_kept(header)
    if header.lower() == USUAL_HEADER.lower():
        scheme, _, said = said.partition(" ")
        if scheme.lower() != "bearer":
            return f"{header} is not Bearer."
    expected = [settings[name] for name in ("secret", "previous_secret") if settings.get(name)]
    return "" if is_among(readings(said.strip()), expected) else f"{header} has not the right token."


BEARER = Scheme(
    BearerSettings,
    verify,
    usual,
    Verification.BEARER.label,
    "A token that is sent with each call. It does not vouch for the body.",
    ALL_SECRETS,
)
