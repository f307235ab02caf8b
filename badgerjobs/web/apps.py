from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "badgerjobs.web"
    label = "web"

    def ready(self) -> None:
        """Let forms and serializers speak as we do, before the first of them is made."""
        from badgerjobs.web.sentences import speak  # noqa: PLC0415  DRF reads the settings when it is imported

        speak()
