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
