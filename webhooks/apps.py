from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"
    label = "webhooks"

    def ready(self) -> None:
        """Load the checks that `manage.py check` and every start make."""
        from webhooks import checks  # noqa: F401, PLC0415
