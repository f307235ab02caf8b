"""The addresses that callers may have: of providers that say which theirs are."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from rest_framework import serializers

from badgerjobs.outbound.networks import unwrapped
from badgerjobs.web.serializers import BoundedListField
from webhooks.models import Verification
from webhooks.receiving.calls import Call
from webhooks.verification import Scheme, Settings
from webhooks.verification.ids import usual
from webhooks.verification.settings import TOKEN_ONLY, VerificationSettings

MOST = 200


class AddressesSettings(VerificationSettings):
    """Single addresses, and networks."""

    addresses = BoundedListField(
        child=serializers.CharField(max_length=50),
        allow_empty=False,
        max_length=MOST,
        help_text=f"Addresses and networks, like 192.0.2.7 or 2001:db8::/32: {MOST} at most.",
    )

    def validate_addresses(self, given: list[str]) -> list[str]:
        """As they are usually written."""
        return [_written(text) for text in given]


def _written(text: str) -> str:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise serializers.ValidationError(f"“{text}” is neither an address nor a network.") from None
    if str(network.network_address) != str(ip_address(text.partition("/")[0])):
        raise serializers.ValidationError(f"“{text}” is not where its network begins: write {network}.")
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped:
        raise serializers.ValidationError(f"“{text}” is written as IPv6, and means IPv4: write it so.")
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def verify(settings: Settings, call: Call, _now: datetime) -> str:
    """It does not vouch for the body: whoever calls from there may send anything."""
    try:
        address = unwrapped(ip_address(call.address or ""))
    except ValueError:
        return "Nobody knows which address it came from."
    if any(address in network for network in _networks(tuple(settings.get("addresses", ())))):
        return ""
    return f"It came from {address}, which is none of the addresses that are believed."


@lru_cache(maxsize=512)
def _networks(texts: tuple[str, ...]) -> Sequence[IPv4Network | IPv6Network]:
    return [ip_network(text) for text in texts]


ADDRESSES = Scheme(
    AddressesSettings,
    verify,
    usual,
    Verification.ADDRESSES.label,
    "Where a provider calls from. Behind a proxy of yours, this service must know that it is there.",
    TOKEN_ONLY,
)
