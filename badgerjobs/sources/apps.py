from django.apps import AppConfig


class SourcesConfig(AppConfig):
    name = "badgerjobs.sources"
    label = "sources"

    def ready(self) -> None:
        """Load the checks that `manage.py check` and every start make."""
        from badgerjobs.sources import checks  # noqa: F401, PLC0415
