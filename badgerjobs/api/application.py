"""The application that a token belongs to."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from badgerjobs.runs.models import Runnable
from badgerjobs.web.authentication import application_of
from badgerjobs.workspaces.models import Application, Scope
from jobs.models import KIND, Job


class ApplicationSerializer(serializers.Serializer[Any]):
    """An application, with Repeater's counts."""

    name = serializers.CharField(help_text="Its name.")
    workspace = serializers.CharField(source="workspace.name", help_text="The workspace it belongs to.")
    created_at = serializers.DateTimeField(help_text="When it was made.")
    updated_at = serializers.DateTimeField(help_text="When it was last changed.")
    jobs_count = serializers.IntegerField(help_text="How many jobs it has.")
    scheduled_jobs_count = serializers.IntegerField(help_text="How many of them have a next run.")


class ApplicationView(APIView):
    """The token's own application."""

    @extend_schema(responses=ApplicationSerializer, summary="Read the token's application")
    def get(self, request: Request) -> Response:
        application: Any = application_of(request)
        application.jobs_count = Job.objects.for_application(application).count()
        planned = Runnable.objects.for_application(application).planned()
        application.scheduled_jobs_count = planned.filter(kind=KIND).count()
        return Response(ApplicationSerializer(application).data)


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
