"""Every address under /api/v1/."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from badgerjobs.api.application import ApplicationView, SigningKeyView
from badgerjobs.api.root import RootView
from badgerjobs.runs.api import PreviewView, RunViewSet
from jobs.api import JobViewSet, ResultViewSet
from jobs.events.api import ConnectionViewSet, EventViewSet

router = SimpleRouter()
router.register("jobs", JobViewSet, basename="job")
router.register("events", EventViewSet, basename="event")
router.register("connections", ConnectionViewSet, basename="connection")
router.register("results", ResultViewSet, basename="result")
router.register("runs", RunViewSet, basename="run")

urlpatterns = [
    path("", RootView.as_view(), name="api-root"),
    *router.urls,
    path("application/", ApplicationView.as_view(), name="application"),
    path("application/signing-key/", SigningKeyView.as_view(), name="signing-key"),
    path("schedules/preview/", PreviewView.as_view(), name="schedule-preview"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
]
