"""What must be right about slurpers in Python before anything starts."""

from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004  Django calls it so

from slurps import slurpers


@register()
def every_slurper_is_right(**_: Any) -> list[CheckMessage]:
    """What was found as the packages of SLURPERS were imported."""
    return [
        *(Error(sentence, id="collections.E001") for sentence in slurpers.REGISTRY.problems),
        *(Warning(sentence, id="collections.W001") for sentence in slurpers.REGISTRY.warnings),
    ]
