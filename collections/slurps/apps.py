from django.apps import AppConfig


class SlurpsConfig(AppConfig):
    name = "slurps"
    label = "collections"

    def ready(self) -> None:
        """Load the checks that `manage.py check` and every start make, and the slurpers in Python that there are."""
        from django.conf import settings  # noqa: PLC0415

        from slurps import checks  # noqa: F401, PLC0415
        from slurps.slurpers import load  # noqa: PLC0415

        load(settings.SLURPERS)
