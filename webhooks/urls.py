"""The addresses of the pages about hooks and their deliveries, below an application's."""

from django.urls import URLPattern, path

from webhooks import form_views, views
from webhooks.deliveries.urls import urlpatterns as deliveries

app_name = "webhooks"

# A tag may be any text without a slash: what is fixed stands beside `hooks/`, never below it.
urlpatterns: list[URLPattern] = [
    path("hooks/", views.list_hooks, name="list"),
    path("new-hook/", form_views.new, name="new"),
    path("hooks/<str:tag>/", views.show_hook, name="hook"),
    path("hooks/<str:tag>/edit/", form_views.edit, name="edit"),
    path("hooks/<str:tag>/pause/", views.pause, name="pause"),
    path("hooks/<str:tag>/resume/", views.resume, name="resume"),
    path("hooks/<str:tag>/rotate/", views.rotate, name="rotate"),
    path("hooks/<str:tag>/delete/", views.delete, name="delete"),
    *deliveries,
]
