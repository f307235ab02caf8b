"""What a server said, as it may be shown: short, in one line, and without the secrets that it was told."""

from collections.abc import Iterable

from badgerjobs.lib.vault import MASK

LONGEST = 300


def quoted(said: str | bytes, secrets: Iterable[str] = ()) -> str:
    """Its words, ending with a full stop."""
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    for secret in secrets:
        text = text.replace(secret, MASK) if secret else text
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    line = line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
    return line if line.endswith((".", "!", "?", "…")) else f"{line}."
