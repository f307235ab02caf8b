"""Every address."""

from django.conf import settings
from django.urls import include, path

from badgerjobs.api import doors
from badgerjobs.graphql.api import GraphQLView
from badgerjobs.graphql.views import explorer
from badgerjobs.panel import views
from jobs.echo import echo

urlpatterns = [
    path("", views.front_door, name="front-door"),
    path("accounts/", include("badgerjobs.workspaces.account_urls")),
    path("", include("badgerjobs.panel.urls")),
    path("a/<slug:application_slug>/", include("badgerjobs.runs.urls")),
    path("a/<slug:application_slug>/", include("badgerjobs.notices.urls")),
    path("a/<slug:application_slug>/", include("jobs.urls")),
    path("a/<slug:application_slug>/", include("badgerjobs.sources.urls")),
    path("a/<slug:application_slug>/", include("tasks.urls")),
    path("a/<slug:application_slug>/", include("tasks.background.urls")),
    path("a/<slug:application_slug>/", include("slurps.urls")),
    path("a/<slug:application_slug>/", include("webhooks.urls")),
    path("a/<slug:application_slug>/graphql/", explorer, name="graphql-page"),
    path("api/v1/", include("badgerjobs.api.urls")),
    path("graphql", GraphQLView.as_view(), name="graphql"),
    path("hooks/", include("webhooks.receiving.urls")),
    path("healthz", doors.healthz, name="healthz"),
    path("metrics", doors.prometheus, name="metrics"),
]

if settings.DEMO:
    urlpatterns += [path("echo/", echo, name="echo"), path("echo/<path:rest>", echo, name="echo-below")]

handler400 = "badgerjobs.web.error_pages.bad_request"
handler403 = "badgerjobs.web.error_pages.forbidden"
handler404 = "badgerjobs.web.error_pages.not_found"
handler429 = "badgerjobs.web.error_pages.too_many"  # allauth's
handler500 = "badgerjobs.web.error_pages.server_error"
