"""What the reference shows of background tasks. A test sends each request."""

from drf_spectacular.utils import OpenApiExample

TRIGGER = OpenApiExample(
    "in ten minutes",
    value={"definition": "testingRun", "input": {}, "name": "Is everything at work?", "delay": 600},
    request_only=True,
)
ABORT = OpenApiExample("with a reason", value={"message": "Not today."}, request_only=True)
