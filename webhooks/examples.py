"""What the reference shows of hooks. A test sends each request and compares each answer."""

from drf_spectacular.utils import OpenApiExample

CREATE = OpenApiExample(
    "orders of the shop, kept as they come",
    value={"tag": "orders", "name": "Orders of the shop"},
    request_only=True,
)
VERIFIED = OpenApiExample(
    "pushes to main, from GitHub, each once",
    value={
        "tag": "pushes",
        "verification": "github",
        "settings": {"secret": "as-it-is-given-to-github"},
        "repeats": "provider",
        "transform": "return body.ref === 'refs/heads/main' ? {variables: {COMMIT: body.after}} : null",
    },
    request_only=True,
)
CHANGE = OpenApiExample("larger bodies, ten a second", value={"max_bytes": 5_000_000, "rate": 10}, request_only=True)
REPLACE = OpenApiExample(
    "a fixed answer",
    value={"response": "fixed", "response_type": "application/json", "response_body": '{"ok": true}'},
    request_only=True,
)
PAUSE = OpenApiExample("why", value={"reason": "The warehouse is being counted."}, request_only=True)
ROTATE = OpenApiExample("an hour to tell everybody", value={"overlap_s": 3600}, request_only=True)
TRY = OpenApiExample(
    "a category's webhook",
    value={
        "transform": "return {variables: {CATEGORY_ID: body.category.id}}",
        "body": {"category": {"id": 7}},
        "headers": {"x-topic": "categories/update"},
    },
    request_only=True,
)
EXAMPLE = OpenApiExample(
    "a category that was changed",
    value={"body": {"category": {"id": 7}}, "expected": {"variables": {"CATEGORY_ID": "7"}}},
    request_only=True,
)

DRAFT = OpenApiExample(
    "a draft, on the examples and the last five deliveries",
    value={"transform": "return {variables: {CATEGORY_ID: body.category.id}}", "deliveries": 5},
    request_only=True,
)
