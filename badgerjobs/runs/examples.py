"""What the reference shows of runs. A test sends each request."""

from drf_spectacular.utils import OpenApiExample

ABORT = OpenApiExample(
    "all that wait of one job",
    value={"name": "refresh-prices", "state": "queued,scheduled,retrying"},
    request_only=True,
)

REPLAY = OpenApiExample(
    "what timed out in an hour, a hundred a minute",
    value={
        "error_class": "timeout",
        "since": "2026-11-21T22:00:00Z",
        "until": "2026-11-21T23:00:00Z",
        "per_minute": 100,
    },
    request_only=True,
)

PREVIEW = OpenApiExample(
    "a hundred times at most, spread over a minute",
    value={
        "run_every": "PT15M",
        "end_at": "2030-12-31T23:00:00Z",
        "max_runs": 100,
        "spread": "PT1M",
        "tag": "refresh-prices",
    },
    request_only=True,
)
