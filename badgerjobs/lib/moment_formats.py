"""A moment as a text or a number, in a format that somebody chose: a word, or `%Y-%m-%d` as strftime has it."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

# By word: what `2026-11-22T17:30:00.250Z` becomes is in the comment.
WORDS: Mapping[str, Callable[[datetime], str | int]] = {
    "iso": lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}Z",  # 2026-11-22T17:30:00Z
    "date": lambda moment: f"{moment:%Y-%m-%d}",  # 2026-11-22
    "unix": lambda moment: int(moment.timestamp()),  # 1795368600
    "unix_ms": lambda moment: int(moment.timestamp() * 1000),  # 1795368600250
}
LONGEST = 100
# Those that mean the same on every machine. Widths and flags, which some have, could make it as long as they like.
_DIRECTIVES = "AaBbdHIjMmpSfYyzZGVuWU%"
_TEXT = re.compile(rf"(?:[^%\x00-\x1f\x7f]|%[{_DIRECTIVES}])*")


class FormatError(ValueError):
    """A text that is no format. Its message is a sentence that says what would be right."""


def check_format(text: str) -> None:
    """Raise FormatError unless a moment can be written that way."""
    if text in WORDS:
        return
    if len(text) > LONGEST or "%" not in text or not _TEXT.fullmatch(text):
        raise FormatError(f"“{text[:30]}” is no format of a time: write {', '.join(WORDS)}, or one like %Y-%m-%d.")


def formatted(moment: datetime, text: str) -> str | int:
    """The moment, in UTC: a number for `unix` and `unix_ms`, else a text. Raises FormatError."""
    check_format(text)
    here = moment.astimezone(UTC)
    return WORDS[text](here) if text in WORDS else here.strftime(text)
