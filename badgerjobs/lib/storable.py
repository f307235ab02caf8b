"""What PostgreSQL can keep of what other people's servers, code and requests say."""

import re
from collections.abc import Iterator
from typing import Any

# Its JSON and its text have neither: a null character, and halves of characters.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# Of one row that a collection keeps, as JSON.
ROW_BYTES = 1_000_000
# What stands in their place.
REPLACED = "\ufffd"


def is_storable(value: Any) -> bool:
    """Whether JSON can be kept, and shown, as it is: every text in it, names too."""
    return not any(UNSTORABLE.search(text) for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    """No request is so deep that this could not walk it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for each in pair for text in _texts(each))
    elif isinstance(value, list):
        yield from (text for each in value for text in _texts(each))


def cleaned(value: Any) -> Any:
    """The same JSON, with U+FFFD for what cannot be kept."""
    if isinstance(value, str):
        return UNSTORABLE.sub(REPLACED, value)
    if isinstance(value, dict):
        return {cleaned(name): cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [cleaned(inner) for inner in value]
    return value
