"""After which endings a background task's run is deleted: the words that definitions say, and ours."""

from collections.abc import Iterable

CLEANUPS = {"onSuccess": "done", "onError": "error", "onAbort": "abort"}
ALWAYS, NEVER = "always", "never"


def cleanup_of(words: str | Iterable[str]) -> frozenset[str]:
    """Those of done, error and abort that are meant. Raises KeyError for another word, TypeError for what is none."""
    if words == ALWAYS:
        return frozenset(CLEANUPS.values())
    if words == NEVER:
        return frozenset()
    return frozenset(CLEANUPS[word] for word in ([words] if isinstance(words, str) else words))
