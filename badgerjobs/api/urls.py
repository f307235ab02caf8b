"""Every address under /api/v1/."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from badgerjobs.api.application import ApplicationView, SigningKeyView
from badgerjobs.api.root import RootView
from badgerjobs.runs.api import PreviewView, RunViewSet
from badgerjobs.sources.api import SourceViewSet
from jobs.api import JobViewSet, ResultViewSet
from jobs.events.api import ConnectionViewSet, EventViewSet
from slurps.api import AsyncJobViewSet
from slurps.collecting.api import CollectionViewSet
from slurps.collecting.reading.api import CollectionRowsView
from slurps.collecting.reading.readable import ReadableCollectionsView
from slurps.collecting.versions_api import VersionViewSet
from slurps.slurper_api import SlurperViewSet
from tasks.api import TaskViewSet
from tasks.background.api import BackgroundTaskViewSet
from tasks.cache import api as cache_api
from tasks.keys.api import KeyViewSet
from webhooks.api import HookViewSet
from webhooks.deliveries.api import DeliveryViewSet

# Below the async job that fills them.
COLLECTIONS = r"async-jobs/(?P<tag>[^/\x00]+)/collections"

router = SimpleRouter()
router.register("jobs", JobViewSet, basename="job")
router.register("events", EventViewSet, basename="event")
router.register("connections", ConnectionViewSet, basename="connection")
router.register("sources", SourceViewSet, basename="source")
router.register("keys", KeyViewSet, basename="key")
router.register("tasks", TaskViewSet, basename="task")
router.register("background-tasks", BackgroundTaskViewSet, basename="background-task")
router.register("slurpers", SlurperViewSet, basename="slurper")
router.register("async-jobs", AsyncJobViewSet, basename="async-job")
router.register(COLLECTIONS, CollectionViewSet, basename="collection")
router.register(rf"{COLLECTIONS}/(?P<name>[^/\x00]+)/versions", VersionViewSet, basename="version")
router.register("hooks", HookViewSet, basename="hook")
router.register("deliveries", DeliveryViewSet, basename="delivery")
router.register("results", ResultViewSet, basename="result")
router.register("runs", RunViewSet, basename="run")

urlpatterns = [
    path("", RootView.as_view(), name="api-root"),
    *router.urls,
    path("application/", ApplicationView.as_view(), name="application"),
    path("application/signing-key/", SigningKeyView.as_view(), name="signing-key"),
    path("schedules/preview/", PreviewView.as_view(), name="schedule-preview"),
    path("cache/", cache_api.values, name="cache-values"),
    path("cache/<str:name>", cache_api.value, name="cache-value"),
    path("collections/", ReadableCollectionsView.as_view(), name="readable-collections"),
    path("collections/<str:endpoint>/", CollectionRowsView.as_view(), name="collection-rows"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
]
