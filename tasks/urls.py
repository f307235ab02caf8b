"""The addresses of the pages about cache keys and tasks, below an application's."""

from django.urls import URLPattern, path

from tasks import form_views, log_views, views
from tasks.cache import dashboard_views
from tasks.keys.urls import urlpatterns as keys

app_name = "tasks"

# A tag may be any text without a slash: what is fixed stands beside `tasks/`, never below it.
urlpatterns: list[URLPattern] = [
    path("cache/", dashboard_views.dashboard, name="cache"),
    *keys,
    path("tasks/", views.list_tasks, name="list"),
    path("new-task/", form_views.new, name="new"),
    path("preview-task/", form_views.preview, name="preview"),
    path("key-search/", form_views.key_search, name="key-search"),
    path("try-pattern/", form_views.try_pattern, name="try-pattern"),
    path("try-webhook/", form_views.try_transform, name="try-webhook"),
    path("tasks/<str:tag>/", views.show_task, name="task"),
    path("tasks/<str:tag>/edit/", form_views.edit, name="edit"),
    path("tasks/<str:tag>/run/", views.run, name="run"),
    path("tasks/<str:tag>/logs/", log_views.show_logs, name="logs"),
    path("tasks/<str:tag>/retry/", views.retry, name="retry"),
    path("tasks/<str:tag>/pause/", views.pause, name="pause"),
    path("tasks/<str:tag>/resume/", views.resume, name="resume"),
    path("tasks/<str:tag>/rotate/", views.rotate, name="rotate"),
    path("tasks/<str:tag>/delete/", views.delete, name="delete"),
]
