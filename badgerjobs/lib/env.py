"""Environment variables as values: typed, with a default, and with an error that names the variable."""

import os
from collections.abc import Sequence
from pathlib import Path


class BadSettingError(ValueError):
    """An environment variable has a value that cannot be used. The message names it and says what would be right."""


def text(name: str, default: str = "") -> str:
    """`NAME`, or the content of the file named by `NAME_FILE` (a mounted secret), or the default."""
    if value := os.environ.get(name, ""):
        return value
    if path := os.environ.get(f"{name}_FILE", ""):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise BadSettingError(f"{name}_FILE: cannot read {path!r} ({error.strerror}).") from None
    return default


def number(name: str, default: int, *, least: int = 0, most: int = 2**31 - 1) -> int:
    """A whole number between two bounds, both included."""
    value = text(name)
    if not value:
        return default
    try:
        result = int(value)
    except ValueError:
        result = least - 1
    if not least <= result <= most:
        raise BadSettingError(f"{name}={value!r}: must be a whole number from {least} to {most}.")
    return result


def flag(name: str, *, default: bool) -> bool:
    """`1`, `true`, `yes`, `on` or their opposites, in any case."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise BadSettingError(f"{name}={value!r}: must be 1 or 0.")


def one_of(name: str, default: str, choices: Sequence[str]) -> str:
    """One of some words, written in any case, given as they are in `choices`."""
    value = text(name, default)
    for choice in choices:
        if choice.lower() == value.lower():
            return choice
    raise BadSettingError(f"{name}={value!r}: must be one of {', '.join(choices)}.")


def items(name: str) -> list[str]:
    """A comma-separated list, blanks around the items dropped; empty when unset."""
    return [item.strip() for item in text(name).split(",") if item.strip()]
