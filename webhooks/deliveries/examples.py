"""What the reference shows of deliveries. A test sends each request."""

from drf_spectacular.utils import OpenApiExample

REPLAY = OpenApiExample(
    "what failed in an hour, a hundred a minute",
    value={
        "hook": "orders",
        "state": "failed,aborted",
        "since": "2026-11-21T22:00:00Z",
        "until": "2026-11-21T23:00:00Z",
        "per_minute": 100,
    },
    request_only=True,
)
