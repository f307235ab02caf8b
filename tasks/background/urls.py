"""The addresses of the pages about background tasks, below an application's."""

from django.urls import URLPattern, path

from tasks.background import definition_views, views

app_name = "background"

urlpatterns: list[URLPattern] = [
    path("background-tasks/", views.list_tasks, name="list"),
    path("background-tasks/abort/", views.abort_many, name="abort-many"),
    path("background-tasks/delete/", views.delete_many, name="delete-many"),
    path("background-tasks/definitions/", definition_views.list_definitions, name="definitions"),
    path("background-tasks/definitions/<str:definition>/", definition_views.show_definition, name="definition"),
    path("background-tasks/definitions/<str:definition>/trigger/", definition_views.trigger, name="trigger"),
    path("background-tasks/<uuid:run_id>/", views.show_task, name="task"),
    path("background-tasks/<uuid:run_id>/abort/", views.abort, name="abort"),
    path("background-tasks/<uuid:run_id>/delete/", views.delete, name="delete"),
    path("background-tasks/<uuid:run_id>/again/", views.again, name="again"),
]
