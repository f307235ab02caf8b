"""Long bodies are kept compressed; and what of them is text."""

import zlib

# In bytes. What is shorter the database keeps as it is.
LONG = 64 * 1024
# The quickest: whoever calls waits for it.
_LEVEL = 1


def packed(raw: bytes) -> tuple[bytes, bool]:
    """What is kept of a body, and whether it is compressed: where it is long, and shorter so."""
    if len(raw) <= LONG:
        return raw, False
    smaller = zlib.compress(raw, _LEVEL)
    return (smaller, True) if len(smaller) < len(raw) else (raw, False)


def unpacked(body: bytes, *, packed: bool) -> bytes:
    """The body as it came."""
    return zlib.decompress(body) if packed else bytes(body)


def text_of(raw: bytes) -> str | None:
    """A body as text that can be shown and kept; None for what is none."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return text if "\0" not in text else None
