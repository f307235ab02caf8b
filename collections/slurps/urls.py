"""The addresses of the pages about async jobs, collections and slurpers, below an application's."""

from django.urls import URLPattern, path

from slurps import form_views, slurper_form_views, slurper_views, views
from slurps.collecting.urls import urlpatterns as collecting

app_name = "collections"

# A tag may be any text without a slash: what is fixed stands beside `async-jobs/`, never below it.
urlpatterns: list[URLPattern] = [
    path("async-jobs/", views.list_jobs, name="list"),
    path("new-async-job/", form_views.new, name="new"),
    path("preview-async-job/", form_views.preview, name="preview"),
    path("async-jobs/<str:tag>/", views.show_job, name="job"),
    path("async-jobs/<str:tag>/edit/", form_views.edit, name="edit"),
    path("async-jobs/<str:tag>/run/", views.run, name="run"),
    path("async-jobs/<str:tag>/pause/", views.pause, name="pause"),
    path("async-jobs/<str:tag>/resume/", views.resume, name="resume"),
    path("async-jobs/<str:tag>/forget/", views.forget, name="forget"),
    path("async-jobs/<str:tag>/delete/", views.delete, name="delete"),
    *collecting,
    path("slurpers/", slurper_views.list_slurpers, name="slurpers"),
    path("new-slurper/", slurper_form_views.new, name="new-slurper"),
    path("try-slurper/", slurper_form_views.try_form, name="try-slurper"),
    path("slurpers/<str:tag>/", slurper_views.show_slurper, name="slurper"),
    path("slurpers/<str:tag>/edit/", slurper_form_views.edit, name="edit-slurper"),
    path("slurpers/<str:tag>/delete/", slurper_views.delete, name="delete-slurper"),
]
