"""The addresses of the pages about runs, below an application's."""

from django.urls import path

from badgerjobs.runs import views

app_name = "runs"

urlpatterns = [
    path("runs/", views.runs, name="list"),
    path("runs/abort/", views.abort_many, name="abort-many"),
    path("runs/replay/", views.replay_many, name="replay-many"),
    path("runs/<uuid:run_id>/", views.run, name="run"),
    path("runs/<uuid:run_id>/abort/", views.abort, name="abort"),
    path("runs/<uuid:run_id>/replay/", views.replay, name="replay"),
    path("runs/<uuid:run_id>/body/", views.body, name="body"),
]
