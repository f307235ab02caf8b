"""What drf-spectacular must be told about our API: bearer tokens, idempotency keys, problems."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema as Generated
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from badgerjobs.web.idempotency import HEADER


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "badgerjobs.web.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # noqa: ARG002
        return {"type": "http", "scheme": "bearer", "description": "The secret of one of an application's tokens."}


PROBLEM = OpenApiExample(
    "a duration that is none",
    value={
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "run_every: P1H is not an ISO 8601 duration: did you mean PT1H?",
        "errors": {"run_every": ["P1H is not an ISO 8601 duration: did you mean PT1H?"]},
    },
    response_only=True,
)


class ProblemSerializer(serializers.Serializer[Any]):
    """An error, as RFC 9457 has it."""

    type = serializers.CharField(help_text="Always `about:blank`: the status says what kind of problem it is.")
    title = serializers.CharField(help_text="The status in words.")
    status = serializers.IntegerField(help_text="The HTTP status.")
    detail = serializers.CharField(help_text="What is wrong, in a sentence.")
    errors = serializers.DictField(  # type: ignore[assignment]  # the field of RFC 9457 has a name that DRF uses too
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Field → what is wrong with it, in sentences. Only where fields are at fault.",
    )
    code = serializers.CharField(
        required=False,
        help_text="A word for machines, where background tasks refuse something: `TASK_ABORT_ERROR`, say.",
    )


class AutoSchema(Generated):
    """Adds to every operation what every operation has."""

    def get_override_parameters(self) -> list[Any]:
        """The `Idempotency-Key` of the calls that honour it."""
        called = getattr(self.view, getattr(self.view, "action", None) or self.method.lower(), None)
        if not getattr(called, "is_idempotent", False):
            return []
        return [
            OpenApiParameter(
                HEADER,
                str,
                OpenApiParameter.HEADER,
                description="Any text of yours, up to 255 characters: sent again, the request is not done again.",
            )
        ]

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        words: dict[str, str] = getattr(self.view, "path_words", {})
        found: list[dict[str, Any]] = super()._resolve_path_parameters(variables)  # type: ignore[no-untyped-call]
        return [{"description": words[each["name"]], **each} if each["name"] in words else each for each in found]

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        problem = OpenApiResponse(
            ProblemSerializer, description="What is wrong, and what would be right.", examples=[PROBLEM]
        )
        bodies["default"] = self._get_response_for_code(  # type: ignore[no-untyped-call]
            problem, "default", ["application/problem+json"], direction
        )
        return bodies
