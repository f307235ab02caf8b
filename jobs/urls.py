"""The addresses of the pages about jobs, below an application's."""

from django.urls import URLPattern, path

from jobs import form_views, views

app_name = "jobs"

# A tag may be any text without a slash: what is fixed stands beside `jobs/`, never below it.
urlpatterns: list[URLPattern] = [
    path("jobs/", views.list_jobs, name="list"),
    path("bulk-jobs/", views.bulk, name="bulk"),
    path("new-job/", form_views.new, name="new"),
    path("preview-schedule/", form_views.preview, name="preview"),
    path("test-call/", form_views.test, name="test"),
    path("jobs/<str:tag>/", views.show_job, name="job"),
    path("jobs/<str:tag>/edit/", form_views.edit, name="edit"),
    path("jobs/<str:tag>/run/", views.run, name="run"),
    path("jobs/<str:tag>/backfill/", views.backfill, name="backfill"),
    path("jobs/<str:tag>/pause/", views.pause, name="pause"),
    path("jobs/<str:tag>/resume/", views.resume, name="resume"),
    path("jobs/<str:tag>/delete/", views.delete, name="delete"),
]
