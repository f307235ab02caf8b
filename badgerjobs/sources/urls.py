"""The addresses of the pages about data sources, below an application's."""

from django.urls import URLPattern, path

from badgerjobs.sources import form_views, views

app_name = "sources"

# A tag may be any text without a slash: what is fixed stands beside `sources/`, never below it.
urlpatterns: list[URLPattern] = [
    path("sources/", views.list_sources, name="sources"),
    path("new-source/", form_views.new_source, name="new-source"),
    path("try-source/", form_views.try_source_form, name="try-source"),
    path("sources/<str:tag>/", views.show_source, name="source"),
    path("sources/<str:tag>/edit/", form_views.edit_source, name="edit-source"),
    path("sources/<str:tag>/delete/", views.delete_source, name="delete-source"),
]
