"""Every address."""

from django.conf import settings
from django.urls import include, path

from badgerjobs.api import doors
from jobs.echo import echo

urlpatterns = [
    path("", doors.front_door, name="front-door"),
    path("api/v1/", include("badgerjobs.api.urls")),
    path("healthz", doors.healthz, name="healthz"),
    path("metrics", doors.prometheus, name="metrics"),
]

if settings.DEMO:
    urlpatterns += [path("echo/", echo, name="echo"), path("echo/<path:rest>", echo, name="echo-below")]

handler400 = "badgerjobs.web.problems.bad_request"
handler404 = "badgerjobs.web.problems.not_found"
handler500 = "badgerjobs.web.problems.server_error"
