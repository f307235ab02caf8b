"""The addresses of the pages about collections and their versions, below an application's."""

from django.urls import URLPattern, path

from slurps.collecting import downloads, form_views, version_views, views

urlpatterns: list[URLPattern] = [
    path("async-jobs/<str:tag>/new-collection/", form_views.new, name="new-collection"),
    path("collections/", views.list_collections, name="collections"),
    path("collections/<str:name>/", views.show_collection, name="collection"),
    path("collections/<str:name>/edit/", form_views.edit, name="edit-collection"),
    path("collections/<str:name>/download/", downloads.download, name="download"),
    path("collections/<str:name>/differences/", views.differences, name="differences"),
    path("collections/<str:name>/activate/", views.activate, name="activate"),
    path("collections/<str:name>/deactivate/", views.deactivate, name="deactivate"),
    path("collections/<str:name>/delete/", views.delete, name="delete-collection"),
    path("collections/<str:name>/approve/", version_views.approve, name="approve"),
    path("collections/<str:name>/drop/", version_views.drop, name="drop"),
    path("collections/<str:name>/versions/<int:number>/pin/", version_views.pin, name="pin"),
    path("collections/<str:name>/versions/<int:number>/unpin/", version_views.unpin, name="unpin"),
    path("collections/<str:name>/versions/<int:number>/roll-back/", version_views.roll_back, name="roll-back"),
]
