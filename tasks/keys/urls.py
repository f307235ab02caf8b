"""The addresses of the pages about cache keys, below an application's: part of `tasks/urls.py`."""

from django.urls import URLPattern, path

from tasks.keys import form_views, views

# A name may be any text without a slash: what is fixed stands beside `keys/`, never below it.
urlpatterns: list[URLPattern] = [
    path("keys/", views.list_keys, name="keys"),
    path("bulk-keys/", views.bulk, name="bulk-keys"),
    path("new-key/", form_views.new_key, name="new-key"),
    path("keys/<str:name>/", views.show_key, name="key"),
    path("keys/<str:name>/edit/", form_views.edit_key, name="edit-key"),
    path("keys/<str:name>/sync/", views.sync, name="sync-key"),
    path("keys/<str:name>/delete/", views.delete, name="delete-key"),
]
