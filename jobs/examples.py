"""What the reference shows of jobs. A test sends each request and compares each answer with its schema."""

from drf_spectacular.utils import OpenApiExample

CREATE = OpenApiExample(
    "every quarter of an hour",
    value={
        "tag": "refresh-prices",
        "endpoint": "https://shop.example.com/api/refresh",
        "verb": "POST",
        "headers": {"Content-Type": "application/json"},
        "body": '{"full": false}',
        "run_every": "PT15M",
    },
    request_only=True,
)

POLICIES = OpenApiExample(
    "until the end of 2030, one after the other, whatever was missed",
    value={
        "tag": "import-orders",
        "endpoint": "https://shop.example.com/api/import",
        "verb": "POST",
        "run_every_ms": 90_000,
        "end_at": "2030-12-31T23:00:00Z",
        "max_runs": 100_000,
        "spread": "PT30S",
        "overlap": "queue_all",
        "catch_up": "all",
        "catch_up_within": "PT2H",
        "priority": 20,
    },
    request_only=True,
)

EXECUTIONS = OpenApiExample(
    "in Ductape's words: five times, a minute apart",
    value={
        "name": "Example Job",
        "tag": "example_job",
        "event_type": "ACTION",
        "endpoint": "https://shop.example.com/api/ping",
        "verb": "POST",
        "executions": 5,
        "intervals": 60_000,
        "start_at": 0,
    },
    request_only=True,
)

PAUSE = OpenApiExample(
    "while they move", value={"reason": "They move.", "until": "2030-12-31T23:00:00Z"}, request_only=True
)

CANCEL = OpenApiExample("with the reason", value={"reason": "Campaign ended early."}, request_only=True)

RESCHEDULE = OpenApiExample(
    "at ten in New York", value={"cron": "0 10 * * *", "tz": "America/New_York"}, request_only=True
)

RETRY = OpenApiExample("in a minute", value={"delay": 60_000}, request_only=True)

CANCEL_MANY = OpenApiExample(
    "all that are planned: how many would that be?", value={"status": "scheduled", "dry_run": True}, request_only=True
)

DELETE_MANY = OpenApiExample(
    "what is over and was made before March",
    value={"status": ["completed", "cancelled"], "until": "2026-03-01T00:00:00Z"},
    request_only=True,
)

REPLACE = OpenApiExample(
    "on working days at eight in Zurich",
    value={
        "endpoint": "https://shop.example.com/api/report",
        "verb": "POST",
        "cron": "0 8 * * 1-5",
        "time_zone": "Europe/Zurich",
    },
    request_only=True,
)

CHANGE = OpenApiExample("switch it off", value={"enabled": False}, request_only=True)

BACKFILL = OpenApiExample(
    "a day, ten a minute",
    value={"since": "2026-11-20T00:00:00Z", "until": "2026-11-21T00:00:00Z", "per_minute": 10},
    request_only=True,
)

RESULT = OpenApiExample(
    "an endpoint that was down",
    value={
        "job": "refresh-prices",
        "run_id": "019bebd2-8a71-7c4e-9d3f-0242ac120002",
        "run": 7,
        "attempt": 1,
        "run_at": "2026-11-21T22:50:28.412Z",
        "duration": 143,
        "ok": False,
        "status": 503,
        "headers": {"content-type": "text/plain", "retry-after": "30"},
        "body": "down for maintenance",
        "body_is_base64": False,
        "body_truncated": False,
        "result": None,
        "error": {"class": "status", "message": "The endpoint answered 503."},
        "created_at": "2026-11-21T22:50:28.555Z",
    },
    response_only=True,
)
