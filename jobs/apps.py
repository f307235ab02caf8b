from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "jobs"
    label = "jobs"

    def ready(self) -> None:
        """Load the checks that `manage.py check` and every start make."""
        from jobs import checks  # noqa: F401, PLC0415
