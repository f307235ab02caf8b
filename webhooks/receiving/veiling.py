"""Which headers of a call are kept as stars: those by which somebody else could call."""

from collections.abc import Set

from webhooks.models import Hook, Verification
from webhooks.receiving.addressed import Addressed
from webhooks.receiving.calls import is_hidden
from webhooks.verification import scheme_of


def proofs_and_credentials(hook: Addressed | Hook) -> tuple[Set[str], Set[str]]:
    """Headers that may be kept as they came, and one that may not, whatever it is called; in lower case.

    Where a hook's settings name a header, that may be a password.
    """
    if hook.verification == Verification.NONE:
        return frozenset(), frozenset()
    named = str(hook.settings.get("header", ""))
    return scheme_of(hook.verification).proofs(hook.settings), {named.lower()}


def is_veiled(hook: Addressed | Hook, name: str) -> bool:
    """Whether a header, by its name in lower case, is kept as stars."""
    return is_hidden(name, *proofs_and_credentials(hook))
