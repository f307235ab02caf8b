"""What the reference shows of slurpers and async jobs. A test sends each request and compares each answer."""

from drf_spectacular.utils import OpenApiExample

_SOLD = "return dataMap.catalogue.filter(p => p.stock > 0).map(p => ({...p, seen_at: ctx.now}))"

SLURPER = OpenApiExample(
    "the products that can be sold",
    value={"tag": "sellable-products", "language": "javascript", "code": _SOLD, "sources": ["catalogue"]},
    request_only=True,
)
BATCHES = OpenApiExample(
    "a long export, batch by batch",
    value={
        "tag": "orders-by-batches",
        "language": "javascript_batches",
        "code": "return rows.map(({id, total}) => ({id, total: Number(total)}))",
        "sources": ["catalogue"],
    },
    request_only=True,
)
CHANGE_SLURPER = OpenApiExample("another name", value={"name": "Products in stock"}, request_only=True)
REPLACE_SLURPER = OpenApiExample("rows as they come", value={"sources": ["catalogue"]}, request_only=True)
TRY_SLURPER = OpenApiExample(
    "over two rows",
    value={
        "rows": {"catalogue": [{"id": 1, "stock": 3}, {"id": 2, "stock": 0}]},
        "definition": {"language": "javascript", "code": _SOLD, "sources": ["catalogue"]},
    },
    request_only=True,
)
TRY_NEW_SLURPER = OpenApiExample(
    "code that is being written",
    value={
        "definition": {"language": "javascript", "code": "return dataMap.catalogue", "sources": ["catalogue"]},
        "rows": {"catalogue": [{"id": 1}]},
    },
    request_only=True,
)
ASYNC_JOB = OpenApiExample(
    "every day at four in Zurich",
    value={"tag": "import-products", "slurper": "t", "cron": "0 4 * * *", "time_zone": "Europe/Zurich"},
    request_only=True,
)
BY_HAND = OpenApiExample(
    "one that hands run, for up to two hours", value={"tag": "import-all", "slurper": "t", "timeout": 7200},
    request_only=True,
)  # fmt: skip
CHANGE_ASYNC_JOB = OpenApiExample(
    "at minute 15 past every third hour", value={"cron": "15 */3 * * *", "overlap": "queue_one"}, request_only=True
)
REPLACE_ASYNC_JOB = OpenApiExample("on the hour", value={"slurper": "t", "preset": "hourly"}, request_only=True)
RUN = OpenApiExample("for one category", value={"values": {"CATEGORY": "lamps"}}, request_only=True)
PAUSE = OpenApiExample(
    "while they move", value={"reason": "The shop moves.", "until": "2035-01-01T00:00:00Z"}, request_only=True
)
FORGET = OpenApiExample("one source", value={"sources": ["catalogue"]}, request_only=True)
