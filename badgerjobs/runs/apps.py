from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "badgerjobs.runs"
    label = "runs"

    def ready(self) -> None:
        """Load the checks that `manage.py check` and every start make."""
        from badgerjobs.runs import checks  # noqa: F401, PLC0415
