"""What the reference shows of cache keys. A test sends each request and compares each answer."""

from drf_spectacular.utils import OpenApiExample

_PRODUCT = {"source": "catalogue", "variables": {"PRODUCT_ID": "1"}, "tags": ["lamps"], "ttl": 3600}

CREATE = OpenApiExample("a product, fresh for an hour", value={"name": "product-7", **_PRODUCT}, request_only=True)
REPLACE = OpenApiExample(
    "served stale for a day while the source fails",
    value={"name": "product-1", **_PRODUCT, "stale_if_error": 86_400},
    request_only=True,
)
CHANGE = OpenApiExample("another time to live", value={"ttl": 600}, request_only=True)
UPSERT = OpenApiExample(
    "two products",
    value={
        "keys": [
            {"name": f"product-{number}", "source": "catalogue", "variables": {"PRODUCT_ID": str(number)}}
            for number in (1, 2)
        ]
    },
    request_only=True,
)
DELETE_MANY = OpenApiExample("how many would go", value={"prefix": "product-", "dry_run": True}, request_only=True)
