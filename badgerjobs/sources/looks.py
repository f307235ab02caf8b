"""How the configurations of sources look in a form: a literal table, type → field → its look."""

from collections.abc import Mapping

from badgerjobs.sources.authentication import FIELDS
from badgerjobs.sources.models import SourceType
from badgerjobs.web.definitions.looks import Look

# What each type is for, in a line.
LINES: Mapping[str, str] = {
    SourceType.REST: "One HTTP request: a method, a URL, headers and a body, with placeholders that keys fill.",
    SourceType.GRAPHQL: "One GraphQL query with typed variables, which keys fill.",
}

# The field that decides which of the others there are.
CHOOSER = "authentication"
TRANSFORM = "transform"

_STARS = "Kept encrypted, and shown as stars. Stars that stay keep the stored one."
_SAID: Mapping[str, Look] = {
    "token_url": Look("Token URL", "Where tokens come from. Each is kept until shortly before it ends.",
                      placeholder="https://login.example.com/oauth/token"),
    "username": Look("User"),
    "password": Look("Password", _STARS),
    "token": Look("Token", _STARS),
    "api_key_name": Look("Key name", "Of the header, or of the parameter.", placeholder="X-API-Key"),
    "api_key": Look("Key", _STARS),
    "api_key_in": Look("Sent in", words={"header": "Header", "query": "Query"}),
    "client_id": Look("Client id"),
    "client_secret": Look("Client secret", _STARS),
    "client_in": Look("Client sent in", words={"header": "Header", "body": "Body"}),
    "scope": Look("Scope", "As the server names it; empty where it needs none."),
}  # fmt: skip


def _with(name: str, look: Look) -> Look:
    """Shown with those authentications that have the field."""
    only = tuple(kind for kind, names in FIELDS.items() if name in names)
    return Look(look.label, look.hint, words=look.words, placeholder=look.placeholder, only=only)


AUTHENTICATION: Mapping[str, Look] = {
    CHOOSER: Look(
        "Authentication",
        words={
            "none": "None",
            "basic": "Basic: user and password",
            "bearer": "Bearer token",
            "api_key": "API key",
            "oauth2_client": "OAuth 2: client credentials",
            "oauth2_password": "OAuth 2: user and password",
        },
    ),
    **{name: _with(name, look) for name, look in _SAID.items()},
}

_HEADERS = Look("Headers", "Placeholders may stand in values. Credentials are kept encrypted and shown as stars.")
_TIMEOUT = Look("Gives up after", more=True, unit="s")
_AFTER: Mapping[str, Look] = {
    **AUTHENTICATION,
    TRANSFORM: Look(
        "Transform", "The inside of a function: it sees response, headers and variables, and returns what is "
        "kept. Empty: the answer as it is.", editor="javascript", rows=8, placeholder="return response.data.products",
    ),
    "timeout": _TIMEOUT,
}  # fmt: skip

LOOKS: Mapping[str, Mapping[str, Look]] = {
    SourceType.REST: {
        "method": Look("Method"),
        "url": Look(
            "URL", "{{PRODUCT_ID}} is what each key gives, percent-encoded: in the path and the query, not the host. "
            "{{now %Y-%m-%d}} is the time of the call.",
            placeholder="https://api.example.com/products/{{PRODUCT_ID}}", joined="method",
        ),
        "query": Look("Query", "Parameters behind those of the URL, percent-encoded.", in_rows="parameter"),
        "headers": _HEADERS,
        "body": Look(
            "Body", 'In JSON a placeholder becomes JSON: {"id": {{PRODUCT_ID}}}. In a form it is encoded.',
            editor="json", rows=4,
        ),
        **_AFTER,
    },
    SourceType.GRAPHQL: {
        "url": Look("URL", "The endpoint, which is called by POST.", placeholder="https://api.example.com/graphql"),
        "query": Look(
            "Query", "The document as it is sent. What changes belongs into variables.", editor="graphql", rows=8,
            placeholder="query Product($id: ID!) { product(id: $id) { name price } }",
        ),
        "variables": Look(
            "Variables", "A value may be {{PRODUCT_ID}}, which each key gives; it is sent as its type.",
            in_rows="variable",
        ),
        "headers": _HEADERS,
        "operation_name": Look("Operation", "Which one is run, where the query has several.", more=True),
        **_AFTER,
    },
}  # fmt: skip
