"""What an address or a form says where a number, an id or a time is meant: people may type anything there."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone


def number_of(text: str, *, digits: int) -> int | None:
    """A whole number from 0 of so many digits at most; None for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def uuid_of(text: str) -> UUID | None:
    """None for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def moment_of(text: str) -> datetime | None:
    """A time as the address has it, in the reader's zone; None for what is none, there at least."""
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # a plus sign that was not encoded arrives as a blank
        return timezone.localtime(moment if moment.tzinfo else timezone.make_aware(moment))
    except (ValueError, OverflowError):
        return None
