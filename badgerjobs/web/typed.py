"""What an address or a form says where a number or an id is meant: people may type anything there."""

from uuid import UUID


def number_of(text: str, *, digits: int) -> int | None:
    """A whole number from 0 of so many digits at most; None for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def uuid_of(text: str) -> UUID | None:
    """None for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
