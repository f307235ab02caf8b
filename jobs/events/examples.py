"""What the reference shows of events and connections. A test sends each request and compares each answer."""

from drf_spectacular.utils import OpenApiExample

_CHAT = {"channel": "chat", "url": "https://hooks.example.com/T1/B1/secret", "text": "{{input.product}} is low."}

CREATE = OpenApiExample(
    "tell the chat that a product is low",
    value={"tag": "low-stock", "type": "NOTIFICATION", "configuration": _CHAT},
    request_only=True,
)
REPLACE = OpenApiExample(
    "add up an order",
    value={
        "type": "FUNCTION",
        "configuration": {"code": "return {total: input.prices.reduce((sum, price) => sum + price, 0)}"},
    },
    request_only=True,
)
CHANGE = OpenApiExample("another name", value={"name": "Low on stock"}, request_only=True)
TRY = OpenApiExample("with a sample", value={"input": {"product": "Lamp", "id": 7}}, request_only=True)
TRY_NEW = OpenApiExample(
    "a template whose value is missing",
    value={"type": "ACTION", "configuration": {"endpoint": "https://example.com/{{input.id}}"}, "input": {}},
    request_only=True,
)
CREATE_CONNECTION = OpenApiExample(
    "the shop's database",
    value={
        "tag": "shop-db",
        "type": "DATABASE",
        "configuration": {"host": "db.example.com", "database": "shop", "user": "reports", "password": "secret"},
    },
    request_only=True,
)
REPLACE_CONNECTION = OpenApiExample(
    "a database in one's own network, with a certificate that it signed itself",
    value={
        "type": "DATABASE",
        "configuration": {"host": "db.internal.example.com", "port": 5433, "database": "shop", "tls": "unverified"},
    },
    request_only=True,
)
CHANGE_CONNECTION = OpenApiExample("another name", value={"name": "The shop's"}, request_only=True)
