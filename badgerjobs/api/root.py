"""Where everything is."""

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

PLACES = {
    "jobs": "job-list",
    "runs": "run-list",
    "results": "result-list",
    "events": "event-list",
    "connections": "connection-list",
    "sources": "source-list",
    "keys": "key-list",
    "tasks": "task-list",
    "background-tasks": "background-task-list",
    "slurpers": "slurper-list",
    "async-jobs": "async-job-list",
    "collections": "readable-collections",
    "hooks": "hook-list",
    "deliveries": "delivery-list",
    "application": "application",
    "application/signing-key": "signing-key",
    "schedules/preview": "schedule-preview",
    "cache": "cache-values",
    "schema": "schema",
}


class RootView(APIView):
    """The addresses under /api/v1/."""

    @extend_schema(
        summary="List what there is",
        responses={(200, "application/json"): {"type": "object", "additionalProperties": {"type": "string"}}},
    )
    def get(self, request: Request) -> Response:
        return Response({name: request.build_absolute_uri(reverse(place)) for name, place in PLACES.items()})
