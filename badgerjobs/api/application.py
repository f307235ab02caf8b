"""The application that a token belongs to, and its settings."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from badgerjobs.api.settings_serializer import ApplicationSerializer
from badgerjobs.runs.limiting import change_settings
from badgerjobs.runs.models import Runnable
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.locks import hold_application
from badgerjobs.workspaces.models import Application, Scope
from jobs.models import KINDS, Job

CHANGE = OpenApiExample(
    "fewer at once, and longer waits after failures",
    value={"concurrent_runs": 50, "retry_policy": "exponential", "retries": 5, "retry_step": 60, "pause_after": None},
    request_only=True,
)


class ApplicationView(APIView):
    """The token's own application, and what it decides for all that is in it."""

    @extend_schema(responses=ApplicationSerializer, summary="Read the token's application")
    def get(self, request: Request) -> Response:
        return Response(ApplicationSerializer(_counted(application_of(request))).data)

    @extend_schema(
        request=ApplicationSerializer,
        responses=ApplicationSerializer,
        summary="Change the settings of the token's application",
        examples=[CHANGE],
    )
    @transaction.atomic
    def patch(self, request: Request) -> Response:
        """Only what is given changes. A new retry policy is for new jobs; limits hold from the next run on."""
        try:
            # Of two changes at once the second is judged by what the first one left.
            application = hold_application(application_of(request))
        except RefusedError as gone:
            raise NotFound(str(gone)) from None
        asked = ApplicationSerializer(application, data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        change_settings(application=application, by=holder_of(request), now=timezone.now(), **asked.validated_data)
        application.refresh_from_db()
        return Response(ApplicationSerializer(_counted(application)).data)


def _counted(application: Application) -> Application:
    counted: Any = application
    counted.jobs_count = Job.objects.for_application(application).count()
    planned = Runnable.objects.for_application(application).planned()
    counted.scheduled_jobs_count = planned.filter(kind__in=KINDS).count()
    return application


class SigningKeySerializer(serializers.Serializer[Any]):
    """What verifies our calls."""

    signing_key = serializers.CharField(
        help_text="`whsec_…`: give it to a Standard Webhooks library where your endpoint checks `webhook-signature`."
    )
    previous_signing_key = serializers.SerializerMethodField(
        help_text="While the key is being rotated, the one before: calls bear its signature too. Else null."
    )
    previous_key_until = serializers.SerializerMethodField(help_text="Until when they do. Null without one.")

    def get_previous_signing_key(self, application: Application) -> str | None:
        """Only as long as it signs."""
        return application.previous_signing_key if self.get_previous_key_until(application) else None

    def get_previous_key_until(self, application: Application) -> datetime | None:
        """None once that moment is over."""
        until = application.previous_key_until
        return until if until and until > timezone.now() else None


class SigningKeyView(APIView):
    """The key that signs every call made for the token's application."""

    required_scope = Scope.WRITE

    @extend_schema(responses=SigningKeySerializer, summary="Read the application's signing key")
    def get(self, request: Request) -> Response:
        """For tokens that may write: who has the key can make calls that look like ours."""
        response = Response(SigningKeySerializer(application_of(request)).data)
        response["Cache-Control"] = "no-store"
        return response
