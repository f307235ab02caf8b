"""How the settings of a verification, and the fields of an action, look in a form: literal tables, field → its look.

What may stand in a field, its serializer says. A field without a row here is shown by its name and with what the
serializer says of it, so that a new scheme and a new action have a form without one.
"""

from collections.abc import Mapping
from dataclasses import replace

from badgerjobs.web.definitions.looks import Look, SerializerField, arranged, look_of
from webhooks.actions import action_of
from webhooks.models import Challenge, Repeats, Response, Verification
from webhooks.verification import SCHEMES, scheme_of

_KEPT = "Kept encrypted, and shown as stars. Stars that stay keep the stored one."
_CHANGING = "Believed too: the one before, or the next one, while it is being changed."

_ALGORITHMS = {"sha256": "SHA-256", "sha512": "SHA-512", "sha384": "SHA-384", "sha1": "SHA-1"}

# Of every scheme, whichever has them, in the order of the form.
SETTINGS: Mapping[str, Look] = {
    "username": Look("User name"),
    "secret": Look("Secret", _KEPT),
    "header": Look("Header", "In which the signature comes.", placeholder="X-Signature"),
    "algorithm": Look("Algorithm", words=_ALGORITHMS),
    "encoding": Look("Written in"),
    "prefix": Look("Prefix", "What stands before the signature in its header.", placeholder="sha256="),
    "signed": Look("Signed is", "{body}, perhaps with headers: v0:{x-request-timestamp}:{body}."),
    "timestamp_header": Look(
        "Timestamp in", "The header that says when it was signed, in seconds since 1970; where there is one.",
        placeholder="X-Request-Timestamp",
    ),
    "tolerance_s": Look("Clocks may differ by", "An older timestamp, and one from the future, is refused.", unit="s"),
    "secret_encoding": Look("Secret is", words={"text": "text as it is", "base64": "base64", "hex": "hex"}),
    "addresses": Look(
        "Addresses", "One a line: an address, or a network. Who calls from elsewhere is refused.", rows=3,
        placeholder="192.0.2.0/24",
    ),
    "previous_secret": Look("Second secret", _CHANGING),
}  # fmt: skip
# Where a scheme calls them by other names.
CALLED: Mapping[str, Mapping[str, Look]] = {
    Verification.BASIC: {"secret": Look("Password", _KEPT), "previous_secret": Look("Second password", _CHANGING)},
    Verification.BEARER: {
        "secret": Look("Token", _KEPT),
        "header": Look("Header", "Authorization, with “Bearer” before the token; or another, with the token alone."),
        "previous_secret": Look("Second token", _CHANGING),
    },
}
TOKEN = "verify_token"  # noqa: S105  the name of a field

# The fields of actions, by the type.
OF_ACTIONS: Mapping[str, Mapping[str, Look]] = {
    "sync": {"task": Look("Task", placeholder="refresh-products")},
    "job": {"job": Look("Job", placeholder="send-report"), "input": Look("given")},
    "event": {"event": Look("Event", placeholder="low-stock"), "input": Look("given")},
    "async_job": {"async_job": Look("Async job", placeholder="import-products")},
    "background_task": {"definition": Look("Definition", placeholder="syncArticles"), "input": Look("given")},
    "value": {"key": Look("Key", placeholder="product-{{PRODUCT_ID}}")},
}
INPUTS = {
    "nothing": "given nothing",
    "variables": "given the variables",
    "value": "given the value",
    "body": "given the body",
}

RESPONSES = {Response.ID: "202 with the id", Response.EMPTY: "200, empty", Response.FIXED: "A body of yours"}
REPEATS = {
    Repeats.NONE: "Not looked for",
    Repeats.PROVIDER: "The provider's id",
    Repeats.HEADER: "A header",
    Repeats.BODY: "The whole body",
}
CHALLENGES = {str(value): str(label) for value, label in Challenge.choices}


def setting_fields(scheme: str) -> Mapping[str, tuple[SerializerField, Look]]:
    """The settings of a scheme in the order of the form, each with its look: it is to be seen with this scheme only."""
    serializer = scheme_of(scheme).serializer
    names = {name for name, one in serializer().fields.items() if not one.read_only} - {TOKEN}
    looks = {name: look for name, look in {**SETTINGS, **CALLED.get(scheme, {})}.items() if name in names}
    fields = arranged(serializer, looks)
    return {
        name: (one, replace(look_of(looks, name, one), only=(scheme,))) for name, one in fields.items() if name != TOKEN
    }


def action_fields(kind: str) -> Mapping[str, tuple[SerializerField, Look]]:
    """The same of an action of this type."""
    looks = OF_ACTIONS.get(kind, {})
    fields = arranged(action_of(kind).serializer, looks)
    return {name: (one, look_of(looks, name, one)) for name, one in fields.items()}


def schemes() -> list[tuple[str, str, str]]:
    """Each scheme: its name, what it is called, and what it needs."""
    return [(name, scheme_of(name).word, scheme_of(name).hint) for name in (str(one) for one in SCHEMES)]


def label_of(scheme: str) -> str:
    """What people call it."""
    return str(Verification(scheme).label)
