"""The id by which a provider knows what it sends, as far as it can be kept."""

import hashlib
import json
from collections.abc import Callable

from badgerjobs.lib.storable import cleaned
from webhooks.receiving.calls import Call

LONGEST = 200


def kept(found: str) -> str:
    """The id; of one that is longer than is kept, its digest, which tells as well whether it came before."""
    text = str(cleaned(found.strip()))
    return text if len(text) <= LONGEST else f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def in_headers(*names: str) -> Callable[[Call], str]:
    """Reads it from the first of these headers that is there. Their names are in lower case."""

    def found(call: Call) -> str:
        return kept(next((call.headers[name] for name in names if call.headers.get(name)), ""))

    return found


def in_body(name: str) -> Callable[[Call], str]:
    """Reads it from a field of a JSON object; none from what is no such object."""

    def found(call: Call) -> str:
        value = fields_of(call).get(name)
        return kept(value) if isinstance(value, str) else ""

    return found


def fields_of(call: Call) -> dict[str, object]:
    """The JSON object that came; empty for anything else."""
    try:
        value = json.loads(call.raw)
    except (ValueError, RecursionError):  # the first for bytes that are no text, and numbers without end
        return {}
    return value if isinstance(value, dict) else {}


# Of callers that nobody knows: what Standard Webhooks sends, and what is widely used besides.
usual = in_headers("webhook-id", "idempotency-key")
