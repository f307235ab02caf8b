"""What the reference shows of collections. A test sends each request and compares each answer."""

from drf_spectacular.utils import OpenApiExample

CREATE = OpenApiExample(
    "the prices of each night, for a month, found by their shop",
    value={
        "name": "product-prices",
        "mode": "upserted_versioned",
        "key": ["id"],
        "keep": 30,
        "indexed": ["shop"],
        "guards": {"empty": True, "columns": "freeze"},
    },
    request_only=True,
)
CHANGE = OpenApiExample(
    "for two tokens alone", value={"readers": ["website", "reporting"], "indexed": ["shop", "price"]}, request_only=True
)
READABLE = OpenApiExample(
    "one that all tokens may read",
    value={
        "name": "product-prices",
        "version": 42,
        "rows": 12480,
        "filled_at": "2026-03-01T04:00:00Z",
        "etag": '"6f1ed002ab5595859014ebf0951522d9"',
        "url": "https://jobs.example.com/api/v1/collections/product-prices/",
    },
    response_only=True,
)
