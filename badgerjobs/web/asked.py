"""What a request asks for, checked."""

from typing import Any, cast

from rest_framework.request import Request

from badgerjobs.web.authentication import application_of
from badgerjobs.web.serializers import StrictSerializer


def asked_of(request: Request, serializer: type[StrictSerializer]) -> dict[str, Any]:
    """What it says, as this serializer reads it for the token's application. Raises ValidationError."""
    asked = serializer(data=request.data, context={"application": application_of(request)})
    asked.is_valid(raise_exception=True)
    return cast("dict[str, Any]", asked.validated_data)
