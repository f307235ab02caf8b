from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "tasks"
    label = "tasks"

    def ready(self) -> None:
        """Load the checks that `manage.py check` and every start make, and the background tasks there are."""
        from django.conf import settings  # noqa: PLC0415

        from tasks import checks  # noqa: F401, PLC0415
        from tasks.background import checks as of_background  # noqa: F401, PLC0415
        from tasks.background.definitions import load  # noqa: PLC0415
        from tasks.background.shipped import SHIPPED  # noqa: PLC0415

        load([*SHIPPED.values(), *settings.BACKGROUND_TASKS])
