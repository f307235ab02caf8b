from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "tasks"
    label = "tasks"

    def ready(self) -> None:
        """Load the checks that `manage.py check` and every start make."""
        from tasks import checks  # noqa: F401, PLC0415
