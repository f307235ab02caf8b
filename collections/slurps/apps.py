from django.apps import AppConfig


class SlurpsConfig(AppConfig):
    name = "slurps"
    label = "collections"
