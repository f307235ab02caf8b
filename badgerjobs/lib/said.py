"""What a server said, as it may be shown: short, in one line, and without the secrets that it was told."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from badgerjobs.lib.vault import MASK

LONGEST = 300
# A secret shorter than this is in many words. Starred out within them, it would garble them and give its letters away.
LEAST_WITHIN_WORDS = 6
# Where APIs put the sentence for people (RFC 9457 first).
SENTENCES = ("detail", "message", "error_description", "error", "title")


def sentence_in(told: Any) -> str:
    """The sentence that a JSON answer holds for people; empty where there is none."""
    found = (told.get(name) for name in SENTENCES) if isinstance(told, Mapping) else iter(())
    return next((one.strip() for one in found if isinstance(one, str) and one.strip()), "")


def quoted(said: str | bytes, secrets: Iterable[str] = ()) -> str:
    """Its words, ending with a full stop."""
    text = masked(said.decode(errors="replace") if isinstance(said, bytes) else said, secrets)
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    line = line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
    return line if line.endswith((".", "!", "?", "…")) else f"{line}."


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with stars for secrets: wherever they stand, the short ones only where they are a word of their own."""
    there = {secret for secret in secrets if secret and secret in text}
    patterns = [_pattern(secret) for secret in sorted(there, key=len, reverse=True)]
    return re.sub("|".join(patterns), MASK, text) if patterns else text


def _pattern(secret: str) -> str:
    exact = re.escape(secret)
    return exact if len(secret) >= LEAST_WITHIN_WORDS else rf"(?<!\w){exact}(?!\w)"
