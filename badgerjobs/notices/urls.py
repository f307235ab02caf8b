"""The addresses of the pages about incidents and notices, below an application's."""

from django.urls import path

from badgerjobs.notices import views

app_name = "notices"

urlpatterns = [
    path("incidents/", views.incidents, name="incidents"),
    path("settings/notices/", views.notices, name="settings"),
    path("settings/notices/test/", views.test, name="test"),
]
