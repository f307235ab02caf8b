"""What other people's servers and code gave back, as PostgreSQL can keep it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from badgerjobs.runs.outcomes import Done, Failed, Later, Outcome

# Its JSON and its text have neither: a null character, and halves of characters.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
LONGEST_SENTENCE = 1000


def storable(outcome: Outcome) -> Outcome:
    """The same, with U+FFFD for what cannot be kept."""
    if isinstance(outcome, Later):
        return outcome
    if isinstance(outcome, Done):
        return Done(_clean(outcome.result), _clean(outcome.output))
    assert isinstance(outcome, Failed)  # noqa: S101  there are no others
    return replace(outcome, error=_clean(outcome.error)[:LONGEST_SENTENCE], result=_clean(outcome.result))


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


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_clean(name): _clean(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner) for inner in value]
    return value
