"""What was refused, in one sentence: for who has room for no more, such as the result of a run."""

from collections.abc import Mapping
from typing import Any

from badgerjobs.lib.storable import cleaned
from tasks.background.errors import BackgroundTaskError

# So many fields are named.
MOST_NAMED = 10


def said_of(error: BackgroundTaskError) -> str:
    """Why nothing was triggered, with each field that is wrong and what is wrong with it."""
    return said_of_fields(error.data.get("invalidFields"), error.message)


def said_of_fields(fields: Any, otherwise: str) -> str:
    """`email: Give an e-mail address; count: Give at most 5.`, of path → {"message"}.

    `otherwise` is said where there are no fields, and where it says itself what is wrong.
    """
    if not isinstance(fields, Mapping):  # code of a definition's own may refuse, and give what it likes
        return otherwise
    said = [(str(path), str(one.get("message", ""))) for path, one in fields.items() if isinstance(one, Mapping)]
    if not said or otherwise in {message for _, message in said}:
        return otherwise
    named = [f"{path}: {message}" if path else message for path, message in said[:MOST_NAMED]]
    more = [f"and {len(said) - MOST_NAMED:,} more"] if len(said) > MOST_NAMED else []
    whole = "; ".join(one.strip().removesuffix(".") for one in [*named, *more])
    return str(cleaned(whole if whole.endswith(("?", "!")) else f"{whole}."))
