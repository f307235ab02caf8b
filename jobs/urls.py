"""The addresses of the pages about jobs, below an application's."""

from django.urls import URLPattern, path

from jobs import background_views, form_views, verb_views, views
from jobs.events import form_views as event_form_views
from jobs.events import views as event_views

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
    path("jobs/<str:tag>/cancel/", verb_views.cancel, name="cancel"),
    path("jobs/<str:tag>/retry/", verb_views.retry, name="retry"),
    path("jobs/<str:tag>/delete/", views.delete, name="delete"),
    path(
        "background-tasks/definitions/<str:definition>/schedule/",
        background_views.schedule,
        name="schedule-background",
    ),
    path("events/", event_views.list_events, name="events"),
    path("new-event/", event_form_views.new_event, name="new-event"),
    path("try-event/", event_form_views.try_form, name="try-form"),
    path("events/<str:tag>/", event_views.show_event, name="event"),
    path("events/<str:tag>/edit/", event_form_views.edit_event, name="edit-event"),
    path("events/<str:tag>/try/", event_views.try_event, name="try-event"),
    path("events/<str:tag>/delete/", event_views.delete_event, name="delete-event"),
    path("connections/", event_views.list_connections, name="connections"),
    path("new-connection/", event_form_views.new_connection, name="new-connection"),
    path("connections/<str:tag>/", event_views.show_connection, name="connection"),
    path("connections/<str:tag>/edit/", event_form_views.edit_connection, name="edit-connection"),
    path("connections/<str:tag>/delete/", event_views.delete_connection, name="delete-connection"),
]
