"""No verification: whoever knows the address is believed."""

from datetime import datetime

from webhooks.models import Verification
from webhooks.receiving.calls import Call
from webhooks.verification import Scheme, Settings
from webhooks.verification.ids import usual
from webhooks.verification.settings import TOKEN_ONLY, VerificationSettings


def verify(_settings: Settings, _call: Call, _now: datetime) -> str:
    """Never refused."""
    return ""


NONE = Scheme(
    VerificationSettings,
    verify,
    usual,
    Verification.NONE.label,
    "Whoever knows the address is believed.",
    TOKEN_ONLY,
)
