"""JSON laid out for people: indented, with keys, texts and values told apart, and every number as it was written."""

import json
import re
from collections.abc import Iterator

# What a piece is (`k` a key, `s` a text, `n` a number or a word, `` the rest), and its text.
Piece = tuple[str, str]

# Beyond these it is shown as it came: indentation would make it many times as long.
MOST_TOKENS = 5_000
DEEPEST = 32
# A list this short stands on one line.
ONE_LINE = 60

_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_CLOSING = {"{": "}", "[": "]"}


def laid_out(text: str) -> list[Piece] | None:
    """The pieces of a JSON object or list; None for what is neither, or too long or too deep to be read that way."""
    if text.lstrip()[:1] not in _CLOSING:
        return None
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    tokens = _TOKENS.findall(text)
    if len(tokens) > MOST_TOKENS or _depth(tokens) > DEEPEST:
        return None
    return list(_merged(_pieces(tokens)))


def _depth(tokens: list[str]) -> int:
    depth = deepest = 0
    for word in tokens:
        depth += (word in _CLOSING) - (word in "]}")
        deepest = max(deepest, depth)
    return deepest


def _pieces(tokens: list[str]) -> Iterator[Piece]:
    depth, flat = 0, 0  # `flat`: until which word everything stays on one line
    for place, word in enumerate(tokens):
        following = tokens[place + 1] if place + 1 < len(tokens) else ""
        broken = "" if place < flat else "\n" + "  " * depth
        if word in _CLOSING:
            depth += 1
            flat = max(flat, _end_of_line(tokens, place))
            yield "", word if place < flat else f"{word}\n{'  ' * depth}"
        elif word in {"}", "]"}:
            depth -= 1
            yield "", word if place <= flat else f"\n{'  ' * depth}{word}"
        elif word == ",":
            yield "", ", " if place < flat else f",{broken}"
        elif word == ":":
            yield "", ": "
        elif word.startswith('"'):
            yield ("k" if following == ":" else "s"), word
        else:
            yield "n", word


def _end_of_line(tokens: list[str], start: int) -> int:
    """Where a container ends that is empty, or a short list of plain values; `start` for any other."""
    length = 0
    for place in range(start + 1, len(tokens)):
        word = tokens[place]
        if word == _CLOSING[tokens[start]]:
            return place if tokens[start] == "[" or place == start + 1 else start
        length += len(word) + 1
        if word in _CLOSING or length > ONE_LINE:
            break
    return start


def _merged(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same with the neighbours of one sort joined."""
    held = ""
    for sort, text in pieces:
        if not sort:
            held += text
            continue
        if held:
            yield "", held
        held = ""
        yield sort, text
    if held:
        yield "", held
