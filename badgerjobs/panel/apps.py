from django.apps import AppConfig


class PanelConfig(AppConfig):
    name = "badgerjobs.panel"
    label = "panel"
