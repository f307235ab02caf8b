"""How the configurations of sources look in a form: a literal table, type → field → its look."""

from collections.abc import Mapping

from badgerjobs.sources.authentication import FIELDS
from badgerjobs.sources.models import SourceType
from badgerjobs.web.definitions.looks import Look

# What each type is for, in a line.
LINES: Mapping[str, str] = {
    SourceType.REST: "An HTTP request with placeholders: a value that is kept under keys; or rows, page by page.",
    SourceType.GRAPHQL: "A GraphQL query with typed variables: a value that is kept under keys; or rows, page by page.",
    SourceType.JSONL: "A file or an answer with one JSON value on each line: rows alone, any number of them.",
    SourceType.CSV: "A table as CSV: rows alone. How it is written is found out, unless it is said.",
    SourceType.XML: "XML, or a call of SOAP: rows alone, an element for each.",
    SourceType.SQL: "One query on a database, whose rows are streamed: PostgreSQL, MySQL, MariaDB, Oracle, ODBC.",
    SourceType.COLLECTION: "The rows of a collection of this application, which another async job filled.",
    SourceType.STREAM: "What waits in a queue of RabbitMQ, or in a stream or a list of Redis or Valkey: rows alone.",
    SourceType.CSV_FILE: "A table as CSV in a file that you upload: rows alone.",
    SourceType.JSONL_FILE: "A file that you upload, with one JSON value on each line: rows alone.",
}

# The field that decides which of the others there are; and that of types which have another.
CHOOSER = "authentication"
CHOOSERS: Mapping[str, str] = {SourceType.SQL: "engine", SourceType.STREAM: "place"}
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

ROWS = Look(
    "Rows", "Where they are in an answer; empty: it is a list of them.", placeholder="$.data.items[*]", more=True
)
REMEMBERING: Mapping[str, Look] = {
    "remember": Look(
        "Remembers", "A column, whose largest value is what {{remembered}} is in the next pull.",
        placeholder="updated_at", more=True,
    ),
    "remember_start": Look(
        "At first", "What {{remembered}} is before the first pull.", placeholder="2026-01-01T00:00:00Z", more=True
    ),
}  # fmt: skip
_MOST = Look("Pages at most", "With more the pull fails, and says so.", more=True)
PAGES: Mapping[str, Look] = {
    "rows": ROWS,
    "pages": Look(
        "Pages", "How the next one is asked for.", more=True,
        words={"none": "One answer has all rows", "page": "By number", "offset": "By offset",
               "cursor": "By a cursor in the answer", "next": "By a link in the answer", "link": "By the Link header"},
    ),
    "page_path": Look(
        "Leads on", "Where the cursor or the link to the next page is in an answer; of pages by number or offset, what "
        "says whether there are more.", placeholder="$.next", more=True,
    ),
    "page_parameter": Look(
        "Page in", "The parameter with the number, offset or cursor; its name unless given. {{page}} in the request "
        "stands for it too.", placeholder="page", more=True,
    ),
    "page_start": Look("First page", "The number of the first one.", more=True),
    "page_size_parameter": Look("Length in", "The parameter that says how long a page is.", placeholder="per_page",
                                more=True),
    "page_size": Look("Length", "What it says.", more=True),
    "most_pages": _MOST,
    **REMEMBERING,
}  # fmt: skip

REQUEST: Mapping[str, Look] = {
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
}  # fmt: skip
XML: Mapping[str, Look] = {
    "rows": Look("Rows", "Which elements are rows; prefixes do not count.", placeholder="/catalog/product"),
    "values": Look(
        "Texts", "Where all of a name are numbers, or true and false.", more=True,
        words={"typed": "Become numbers and booleans", "text": "Stay texts"},
    ),
    "types": Look(
        "Types", 'integer, number, boolean or text, where it is not to be found out: {"address/zip": "text"}.',
        editor="json", rows=3, more=True,
    ),
    "soap_action": Look("SOAP action", "With it the body is sent as a call of SOAP.", more=True),
}  # fmt: skip
ROWS_REQUEST: Mapping[str, Look] = {
    **REQUEST,
    "url": Look(
        "URL", "{{now %Y-%m-%d}} is the time of the call, {{remembered}} what was remembered: in the path and "
        "the query, not the host.",
        placeholder="https://api.example.com/export?since={{remembered}}", joined="method",
    ),
}  # fmt: skip
CSV: Mapping[str, Look] = {
    "delimiter": Look("Between cells", "Found out, unless it is said.", more=True),
    "encoding": Look("Encoding", "Empty finds it out.", placeholder="utf-8", more=True),
    "header": Look("Header", "The first line has the names of the columns.", more=True),
    "types": Look(
        "Types", 'Column → integer, number, boolean or text, where it is not to be found out: {"postcode": "text"}.',
        editor="json", rows=3, more=True,
    ),
    "decimal": Look("Decimal mark", "Before a fraction: found out for each column, unless it is said.", more=True),
    "ragged": Look(
        "Ragged lines", "Those with more or fewer cells than there are columns.", more=True,
        words={"error": "Fail the pull", "fit": "Are filled or cut"},
    ),
}  # fmt: skip

SQL: Mapping[str, Look] = {
    "engine": Look(
        "Engine", "All but PostgreSQL where the operator of this installation added their driver.",
        words={"postgresql": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB", "oracle": "Oracle", "odbc": "ODBC"},
    ),
    "driver": Look("Driver", "Of ODBC: one that the operator allows.", only=("odbc",),
                   placeholder="ODBC Driver 18 for SQL Server"),
    "host": Look("Host", "Its name, as its certificate says it. No scheme, no port.", placeholder="db.example.com"),
    "port": Look("Port", "Empty: the one that such a database usually has."),
    "database": Look("Database", "Of Oracle the name of the service."),
    "user": Look("User", "Best one that may only read."),
    "password": Look("Password", _STARS),
    "tls": Look(
        "TLS", words={"verify": "Certificate checked", "unverified": "Certificate not checked", "none": "No TLS"}
    ),
    "query": Look(
        "Query", "One that reads. {{PRODUCT_ID}} and {{remembered}} are bound as parameters: no quotes around them. A "
        "number may need a cast: {{PRODUCT_ID}}::int.", editor="sql", rows=6,
        placeholder="SELECT id, name, price FROM products WHERE updated_at > {{remembered}}",
    ),
    "certificates": Look(
        "Certificates", "PEM of the authorities to trust in place of the usual ones.", rows=3, more=True,
        placeholder="-----BEGIN CERTIFICATE-----",
    ),
    "timeout": Look("Gives up after", "So long without a row.", more=True, unit="s"),
}  # fmt: skip

_AT_REDIS = ("stream", "list")
STREAM: Mapping[str, Look] = {
    "place": Look(
        "Messages wait in",
        words={"queue": "A queue of RabbitMQ", "stream": "A stream of Redis or Valkey",
               "list": "A list of Redis or Valkey"},
    ),
    "name": Look("Called", "Name of the queue, stream or list. A queue must be there.", placeholder="orders"),
    "host": Look("Host", "Its name, as its certificate says it. No scheme, no port.", placeholder="mq.example.com"),
    "port": Look("Port", "Empty: the one that such a broker usually has."),
    "user": Look("User"),
    "password": Look("Password", _STARS),
    "virtual_host": Look("Virtual host", only=("queue",)),
    "database": Look("Database", "Its number.", only=_AT_REDIS),
    "tls": Look(
        "TLS", words={"verify": "Certificate checked", "unverified": "Certificate not checked", "none": "No TLS"}
    ),
    "field": Look(
        "Message in", "The field of an entry that has it as JSON; empty: all fields are columns.", only=("stream",),
        placeholder="message",
    ),
    "metadata": Look("Metadata", "Each row has what is known of its message besides, as _message.", more=True),
    "most": Look("At most", "The rest waits for the next pull.", more=True, unit="messages"),
    "certificates": Look(
        "Certificates", "PEM of the authorities to trust in place of the usual ones.", rows=3, more=True,
        placeholder="-----BEGIN CERTIFICATE-----",
    ),
    "timeout": Look("Takes for", "What comes later waits for the next pull.", more=True, unit="s"),
}  # fmt: skip

LOOKS: Mapping[str, Mapping[str, Look]] = {
    SourceType.REST: {
        **REQUEST,
        **PAGES,
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
        "rows": Look("Rows", "Where they are in an answer.", placeholder="$.data.products.nodes[*]", more=True),
        "cursor_path": Look(
            "Cursor", "Where that of the next page is; empty: one answer has all rows.",
            placeholder="$.data.products.pageInfo.endCursor", more=True,
        ),
        "more_path": Look(
            "Is there more", "What says so; empty: there is while there is a cursor.",
            placeholder="$.data.products.pageInfo.hasNextPage", more=True,
        ),
        "cursor_variable": Look("Cursor in", "The variable of the query that takes it.", more=True),
        "most_pages": _MOST,
        **REMEMBERING,
        **_AFTER,
    },
    SourceType.SQL: {**SQL, **REMEMBERING},
    SourceType.COLLECTION: {
        "collection": Look("Collection", "Its name, as readers have it.", placeholder="prices"),
        "version": Look("Version", "Empty: the one that readers see.", more=True),
    },
    SourceType.JSONL: {**ROWS_REQUEST, **REMEMBERING, **AUTHENTICATION, "timeout": _TIMEOUT},
    SourceType.XML: {**ROWS_REQUEST, **XML, **REMEMBERING, **AUTHENTICATION, "timeout": _TIMEOUT},
    SourceType.STREAM: STREAM,
    SourceType.CSV_FILE: CSV,
    SourceType.JSONL_FILE: {},
    SourceType.CSV: {**ROWS_REQUEST, **CSV, **REMEMBERING, **AUTHENTICATION, "timeout": _TIMEOUT},
}  # fmt: skip
