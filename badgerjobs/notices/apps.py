from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "badgerjobs.notices"
    label = "notices"
