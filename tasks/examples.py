"""What the reference shows of tasks. A test sends each request and compares each answer."""

from drf_spectacular.utils import OpenApiExample

CREATE = OpenApiExample(
    "every product of the shop, on the hour",
    value={
        "tag": "refresh-products",
        "type": "scheduled",
        "preset": "hourly",
        "selection": "contains",
        "pattern": "product-category-",
    },
    request_only=True,
)
WEBHOOK = OpenApiExample(
    "the products of the category that a webhook names",
    value={
        "tag": "category-changed",
        "type": "webhook",
        "pattern": "product-category-{{CATEGORY_ID}}-",
        "transform": "return {variables: [{key: 'CATEGORY_ID', value: body.category.id}]}",
    },
    request_only=True,
)
CHANGE = OpenApiExample(
    "every night at two in Zurich",
    value={"type": "scheduled", "preset": None, "cron": "0 2 * * *", "time_zone": "Europe/Zurich"},
    request_only=True,
)
REPLACE = OpenApiExample(
    "one that hands run", value={"type": "on_demand", "selection": "prefix", "pattern": "product-"}, request_only=True
)
RUN = OpenApiExample(
    "what its webhook would bring",
    value={"body": {"category": {"id": 7}}, "headers": {"x-topic": "categories/update"}},
    request_only=True,
)
RETRY = OpenApiExample("those of a run", value={"run": "019a3f5e-7d1c-7cc4-9b5a-2f4f3c1f8e11"}, request_only=True)
ROTATE = OpenApiExample("an hour to tell everybody", value={"overlap_s": 3600}, request_only=True)
TEST_PATTERN = OpenApiExample(
    "a pattern with a variable",
    value={"pattern": "product-category-{{CATEGORY_ID}}-", "variables": {"CATEGORY_ID": "1"}},
    request_only=True,
)
TRY = OpenApiExample(
    "a category's webhook",
    value={
        "transform": "return {variables: {CATEGORY_ID: body.category.id}}",
        "body": {"category": {"id": 7}},
        "pattern": "product-category-{{CATEGORY_ID}}-",
    },
    request_only=True,
)
