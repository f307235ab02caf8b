from django.apps import AppConfig


class SourcesConfig(AppConfig):
    name = "badgerjobs.sources"
    label = "sources"
