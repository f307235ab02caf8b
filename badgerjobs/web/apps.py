from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "badgerjobs.web"
    label = "web"
