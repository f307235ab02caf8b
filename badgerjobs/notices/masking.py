"""The URL for notices as it may be shown: what follows the host is often the secret."""

from badgerjobs.lib.vault import MASK
from badgerjobs.outbound.targets import UnsendableError, target_of


def masked_url(url: str) -> str:
    """`https://hooks.example.com/********`; empty where there is none."""
    if not url:
        return ""
    try:
        target = target_of(url)
    except UnsendableError:
        return MASK
    plain = f"{target.url.origin()}/"
    return plain if url in {plain, plain.removesuffix("/")} else f"{plain}{MASK}"
